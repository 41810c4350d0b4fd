"""Defazio et al. (2024), arXiv:2405.15682, for SGD; weights and lr_max as in the package schedulefree 1.4.1."""


def schedule_free_sgd(p, gradients, lr=0.1, beta1=0.9, weight_decay=0.0, power=0.0):
    x, y, z = p, p, p
    lr_max = weight_sum = 0.0
    for t, g in enumerate(gradients, start=1):
        lr_t = lr(t - 1) if callable(lr) else lr
        lr_max = max(lr_max, lr_t)
        weight = t**power * lr_max**2
        weight_sum = weight_sum + weight
        c = weight / weight_sum if weight_sum > 0 else 0.0
        z = z - lr_t * (g + weight_decay * y)
        x = (1 - c) * x + c * z
        y = (1 - beta1) * z + beta1 * x
        yield y, {"beta1": beta1, "lr_max": lr_max, "weight_sum": weight_sum, "z": z}
