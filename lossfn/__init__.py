"""Cross-entropy and losses of one's own in TensorFlow: the companion of the book.

========================  ===========================================================
:mod:`lossfn.theory`      entropy, cross entropy, KL divergence, prefix codes (NumPy)
:mod:`lossfn.reference`   the four tf.nn losses in NumPy float64: the tests' oracle
:mod:`lossfn.nn`          the four tf.nn losses from TensorFlow primitives
:mod:`lossfn.data`        the real data sets of the chapters, offline
:mod:`lossfn.train`       the fits of the chapters
:mod:`lossfn.plot`        the figures' style and the plots that chapters share
========================  ===========================================================

Importing the package imports none of them, and so not TensorFlow.
"""

__version__ = "0.1.0"
