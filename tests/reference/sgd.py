"""Deep Learning from Scratch, §6.1.2."""


def sgd(p, gradients, lr=0.01):
    for g in gradients:
        p = p - lr * g
        yield p, {}
