"""Cross-entropy and losses of one's own in TensorFlow: the companion of the book.

==========================  ===========================================================
:mod:`lossfn.theory`        entropy, cross entropy, KL divergence, prefix codes (NumPy)
:mod:`lossfn.reference`     the four tf.nn losses in NumPy float64: the tests' oracle
:mod:`lossfn.nn`            the four tf.nn losses from TensorFlow primitives
:mod:`lossfn.losses`        losses of one's own: regression, focal, noisy labels, masks
:mod:`lossfn.keras_losses`  the losses as classes, for compile and fit
:mod:`lossfn.native`        the four and the newsvendor in C++, fast on a CPU
:mod:`lossfn.testing`       what is wrong with a loss that somebody wrote
:mod:`lossfn.exercises`     whether an answer to an exercise is right, in words
:mod:`lossfn.data`          the data of the chapters, real and simulated, offline
:mod:`lossfn.train`         the fits of the chapters
:mod:`lossfn.legacy`        the source's two programs, as TensorFlow 1 graphs
:mod:`lossfn.plot`          the figures' style and the plots that chapters share
==========================  ===========================================================

Importing the package imports none of them, and so not TensorFlow.
"""

__version__ = "0.1.0"
