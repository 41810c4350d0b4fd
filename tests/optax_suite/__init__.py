"""Run optax's own tests on our optimizers.

``shim`` puts our optimizers in the place of optax's, ``run`` runs one of optax's test modules and writes what
happened, ``expected.toml`` lists what fails and why. None of optax's code is here: ``tests/test_optax_suite.py``
downloads optax's source distribution.
"""
