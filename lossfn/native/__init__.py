"""The losses in C++: loss and gradient in one pass, for the CPU.

One loss for each example or label, with the names, arguments and numbers of
:mod:`lossfn.nn` and :mod:`lossfn.losses`:

===================================================  ===================================
:func:`softmax_cross_entropy_with_logits`            labels are distributions
:func:`sparse_softmax_cross_entropy_with_logits`     labels are class indices
:func:`sigmoid_cross_entropy_with_logits`            labels are independent
:func:`weighted_cross_entropy_with_logits`           a yes counts more, or less
:func:`newsvendor`                                   short costs one price, left another
===================================================  ===================================

The mean over the batch, for training. Its gradient is computed in the same pass:

=======================================================  ===============================
:func:`mean_softmax_cross_entropy_with_logits`           labels are distributions
:func:`mean_sparse_softmax_cross_entropy_with_logits`    labels are class indices
:func:`mean_sigmoid_cross_entropy_with_logits`           labels are independent
:func:`mean_weighted_cross_entropy_with_logits`          a yes counts more, or less
:func:`mean_newsvendor`                                  short and left have prices
=======================================================  ===============================

The library:

===========================  ===========================================================
:func:`load`                 compile and load the library now, not at the first loss
:func:`release_memory`       give the memory back that is kept for the next call
:class:`Library`             where the library is, and how long it took to compile
:exc:`BuildError`            it cannot be compiled, and what to do
===========================  ===========================================================

The sources are compiled on first use, which takes about a second and needs a C++
compiler, and kept in the user's cache (``LOSSFN_CACHE`` names another folder), one
library for each version of the sources, each kind of CPU and each release of
TensorFlow. ``python -m lossfn.native`` compiles and says what it did. Linux only;
importing this module compiles nothing.

What differs from :mod:`lossfn.nn`:

- The operations run on the CPU and have no XLA kernel: a function with
  ``jit_compile=True`` that uses them does not compile.
- Inside a ``tf.function`` a bad value, and a shape that only the running graph knows,
  raise ``tf.errors.InvalidArgumentError`` when the graph runs.
- Derivatives by labels and parameters, and those of higher order, come from the twins
  in :mod:`lossfn.nn` and :mod:`lossfn.losses`, at their speed. Of the means only the
  logits have a gradient; labels and parameters are constants there.
- A large gradient is written to memory that is kept for the next call: at most two
  blocks, until :func:`release_memory`.
- A graph that was saved with these operations can be loaded after :func:`load`.
"""

from lossfn.native._build import BuildError, Library
from lossfn.native._each import (
    newsvendor,
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from lossfn.native._library import load, release_memory
from lossfn.native._mean import (
    mean_newsvendor,
    mean_sigmoid_cross_entropy_with_logits,
    mean_softmax_cross_entropy_with_logits,
    mean_sparse_softmax_cross_entropy_with_logits,
    mean_weighted_cross_entropy_with_logits,
)

__all__ = [
    "BuildError",
    "Library",
    "load",
    "mean_newsvendor",
    "mean_sigmoid_cross_entropy_with_logits",
    "mean_softmax_cross_entropy_with_logits",
    "mean_sparse_softmax_cross_entropy_with_logits",
    "mean_weighted_cross_entropy_with_logits",
    "newsvendor",
    "release_memory",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]
