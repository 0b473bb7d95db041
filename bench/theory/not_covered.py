"""Points that the slides and the blog leave out, with the statements whose numbers show them."""

OMISSIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("T7", "T18", "T25"),
        "Spread over training seeds. Neither has one number with an interval; two seeds of one "
        "configuration here differ by more than many of the effects that they report "
        "(T7, T18, T25).",
    ),
    (
        ("T3", "T4"),
        "What a sample can tell. Two finite samples share no point, so that total variation, KL "
        "and JS estimated by counting are at their largest even between two samples of one "
        "distribution, and a trained discriminator sees only what it has the capacity to see "
        "(T3, T4). W1 between samples is biased upwards too: it is not 0 for equal distributions.",
    ),
    (
        ("T11", "T6"),
        "That it is the loss that saturates, not the discriminator: the logit of the optimal "
        "discriminator between two Gaussians of equal variance is a straight line, and -ln D keeps "
        "its gradient (T11). T6 measures what that costs.",
    ),
    (
        ("T12", "T15", "T17"),
        "The unit of the critic's estimate: it is W1 times the critic's Lipschitz constant, which "
        "clipping does not fix and a penalty fixes only where it looks (T12, T15, T17).",
    ),
    (
        ("T16", "T10"),
        "Signs and quantifiers: which way the optimal critic's gradient points (T16), and that W1 "
        "is differentiable almost everywhere, not everywhere (T10).",
    ),
    (
        ("T20", "T23"),
        "Where theorems stop: mode-seeking sets in only beyond a separation (T20), and weak "
        "convergence gives W1 -> 0 only on bounded sets or with the first moments (T23).",
    ),
    (
        ("T22",),
        "That WGAN-GP does not converge in the simplest game either, where a zero-centred penalty "
        "does (T22).",
    ),
    (
        ("T9", "T18", "T19"),
        "Equal tuning. They show a remedy at settings that suit it; here all sides of a comparison "
        "have the same networks, rates and budget, which may suit none (T9, T18, T19).",
    ),
)
