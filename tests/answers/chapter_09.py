"""Answers to the exercises of chapter 9."""

import numpy as np
import tensorflow as tf

from lossfn import train
from tests.answers import Right, Wrong

SIX_OUTPUTS = (
    "For y_true = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0] and y_pred = [0.25, 0.8, 0.25, -3.0, "
    "-3.0, 4.0] your function gives"
)
source = train.source_cross_entropy


def shares(function, axis=1):
    def dead_starts(positives, first, second):
        dead = (positives @ first @ second)[..., 0] <= 0
        return function(np.all(dead, axis=axis), np.any(dead, axis=axis), dead)

    return dead_starts


def by_tape(output):
    a = tf.constant(output)
    with tf.GradientTape() as tape:
        tape.watch(a)
        loss = -tf.math.log(1 - tf.clip_by_value(a, 1e-7, 1 - 1e-7))
    return tape.gradient(loss, a)


WRONG = [
    Wrong(
        "ex-09-coding",
        "not exchanged",
        source,
        "For y_true = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0] and y_pred = [0.25, 0.8, 0.25,"
        " -3.0, -3.0, 4.0] your function gives 0 at position [0, 0], where 1.386 is"
        " right. The labels are not exchanged: this is the source's loss.",
    ),
    Wrong(
        "ex-09-coding",
        "both exchanged",
        lambda y, a: source(1 - y, 1 - a),
        "For y_true = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0] and y_pred = [0.25, 0.8, 0.25,"
        " -3.0, -3.0, 4.0] your function gives 0.2877 at position [0, 0], where "
        "1.386 is right. The outputs are exchanged too: only the labels change.",
    ),
    Wrong(
        "ex-09-coding",
        "outputs exchanged",
        lambda y, a: source(y, 1 - a),
        "For y_true = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0] and y_pred = [0.25, 0.8, 0.25,"
        " -3.0, -3.0, 4.0] your function gives 0 at position [0, 0], where 1.386 is"
        " right. The outputs are exchanged, and the labels are not.",
    ),
    Wrong(
        "ex-09-coding",
        "both terms",
        lambda y, a: source(1 - y, a) + source(y, 1 - a),
        "For y_true = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0] and y_pred = [0.25, 0.8, 0.25,"
        " -3.0, -3.0, 4.0] your function gives 0.2877 at position [2, 0], where 0 "
        "is right. This loss has both terms: the source's has one.",
    ),
    Wrong(
        "ex-09-coding",
        "no clip",
        lambda y, a: -(1 - y) * tf.math.log(a),
        "For y_true = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0] and y_pred = [0.25, 0.8, 0.25,"
        " -3.0, -3.0, 4.0] your function gives nan at position [3, 0], where 0 is "
        "right. The clip of the source is missing.",
    ),
    Wrong(
        "ex-09-coding",
        "another clip",
        lambda y, a: -(1 - y) * tf.math.log(tf.clip_by_value(a, 1e-7, 1 - 1e-7)),
        f"{SIX_OUTPUTS} 16.12 at position [4, 0], where 23.03 is right. The clip is "
        "another one: the source's goes from 1e-10 to 1.",
    ),
    Wrong(
        "ex-09-coding",
        "mean",
        lambda y, a: tf.reduce_mean(source(1 - y, a)),
        "Your function returns one number for the batch: then sample_weight cannot "
        "work. Return one loss for each example, and leave the mean to whoever "
        "trains.",
    ),
    Wrong(
        "ex-09-coding",
        "no minus",
        lambda y, a: -source(1 - y, a),
        "For y_true = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0] and y_pred = [0.25, 0.8, 0.25,"
        " -3.0, -3.0, 4.0] your function gives -1.386 at position [0, 0], where "
        "1.386 is right. The sign is wrong: a loss is minus the logarithm.",
    ),
    Wrong(
        "ex-09-lucky",
        "exchanged",
        shares(lambda a, s, _: (s.mean(), a.mean())),
        "For 5 positives and 40 draws your function gives 0.75 at position 0, where"
        " 0.4 is right. The two are exchanged: the share with all positives dead "
        "comes first.",
    ),
    Wrong(
        "ex-09-lucky",
        "counts",
        shares(lambda a, s, _: (a.sum(), s.sum())),
        "For 5 positives and 40 draws your function gives 16 at position 0, where "
        "0.4 is right. These are numbers of draws: divide by how many draws there "
        "are.",
    ),
    Wrong(
        "ex-09-lucky",
        "axis",
        shares(lambda a, s, _: (a.mean(), s.mean()), 0),
        "For 5 positives and 40 draws your function gives 0 at position 0, where "
        "0.4 is right. You look along the draws for each positive: look along the "
        "positives for each draw.",
    ),
    Wrong(
        "ex-09-lucky",
        "outputs",
        shares(lambda a, s, d: (a.mean(), d.mean())),
        "For 5 positives and 40 draws your function gives 0.565 at position 1, "
        "where 0.75 is right. The second is the share of all outputs: a draw counts"
        " once, however many of its positives are dead.",
    ),
    Wrong(
        "ex-09-lucky",
        "only some",
        shares(lambda a, s, _: (a.mean(), (s & ~a).mean())),
        "For 5 positives and 40 draws your function gives 0.35 at position 1, where"
        " 0.75 is right. The second leaves out the draws with all positives dead: "
        "some are.",
    ),
    Wrong(
        "ex-09-lucky",
        "one number",
        shares(lambda a, s, _: a.mean()),
        "dead_starts must return two numbers, the share of draws with all positives"
        " at 0 or below and that with some, got shape ().",
    ),
    Wrong(
        "ex-09-lucky",
        "alive",
        shares(lambda a, s, _: ((~s).mean(), (~a).mean())),
        "For 5 positives and 40 draws your function gives 0.25 at position 0, where"
        " 0.4 is right. These are the draws that are alive: the clip hides outputs "
        "of at most 0.",
    ),
    Wrong(
        "ex-09-no-sigmoid",
        "no clip",
        lambda a: 1 / (1 - a),
        "For output = [-2.0, 0.25, 0.75, 1.5, 20.0] your function gives 0.3333 at "
        "position 0, where 0 is right. The clip is missing: outside of it the slope"
        " is 0.",
    ),
    Wrong(
        "ex-09-no-sigmoid",
        "clipped above alone",
        lambda a: np.where(a < 1, 1 / (1 - a), 0),
        "For output = [-2.0, 0.25, 0.75, 1.5, 20.0] your function gives 0.3333 at "
        "position 0, where 0 is right. Below 0 the clip acts too.",
    ),
    Wrong(
        "ex-09-no-sigmoid",
        "sign",
        lambda a: np.where((a > 0) & (a < 1), -1 / (1 - a), 0),
        "For output = [-2.0, 0.25, 0.75, 1.5, 20.0] your function gives -1.333 at "
        "position 1, where 1.333 is right. The sign is wrong: a larger output costs"
        " a zero more.",
    ),
    Wrong(
        "ex-09-no-sigmoid",
        "label 1",
        lambda a: np.where((a > 0) & (a < 1), -1 / a, 0),
        "For output = [-2.0, 0.25, 0.75, 1.5, 20.0] your function gives -4 at "
        "position 1, where 1.333 is right. This is the slope for the label 1.",
    ),
    Wrong(
        "ex-09-no-sigmoid",
        "loss",
        lambda a: -np.log(1 - np.clip(a, 1e-7, 1 - 1e-7)),
        "For output = [-2.0, 0.25, 0.75, 1.5, 20.0] your function gives 1e-07 at "
        "position 0, where 0 is right. This is the loss, and the slope was asked "
        "for.",
    ),
    Wrong(
        "ex-09-no-sigmoid",
        "clipped output put in",
        lambda a: 1 / (1 - np.clip(a, 1e-7, 1 - 1e-7)),
        "For output = [-2.0, 0.25, 0.75, 1.5, 20.0] your function gives 1 at "
        "position 0, where 0 is right. The clip has a slope of its own: outside it is "
        "0.",
    ),
]

RIGHT = [
    Right(
        "ex-09-coding",
        "written out",
        lambda y, a: (y - 1) * tf.math.log(tf.minimum(tf.maximum(a, 1e-10), 1.0)),
    ),
    Right(
        "ex-09-coding",
        "mean over the outputs",
        lambda y, a: tf.reduce_mean(source(1 - y, a), axis=-1),
    ),
    Right(
        "ex-09-lucky",
        "by the smallest and the largest output",
        lambda p, first, second: np.array(
            [
                np.mean((p @ first @ second).max(axis=(1, 2)) <= 0),
                np.mean((p @ first @ second).min(axis=(1, 2)) <= 0),
            ]
        ),
    ),
    Right("ex-09-no-sigmoid", "by GradientTape", by_tape),
]
