"""Speed and memory of the losses, as ratios against peers in one run.

``python -m benchmarks`` (or ``make bench``) times the mean of each loss together with
its gradient, as :mod:`lossfn` computes it and as TensorFlow, Keras, PyTorch and JAX do,
those of them that are installed. ``python -m benchmarks --help`` lists the options.

How it is measured:

- **Checked first.** The loss and the gradient of every peer are compared with
  :mod:`lossfn.reference` in float64. A peer that computes something else is an error.
- **Interleaved.** Each library has a process of its own, so that their threads do not
  meet. In every round every peer takes its turn, in an order that is drawn anew, and
  only one works at a time. What slows the machine down slows all of them down.
- **Medians** over the rounds, and the quartiles beside them. A ratio is one of medians.
  A turn of a peer that takes microseconds is many calls. A call ends when its result is
  there and released again.
- **Threads.** Every library uses as many as the process has CPUs; ``taskset`` gives it
  fewer.
- **The floor** is what the memory allows: NumPy reads the inputs once and writes one
  array of the size of the gradient, in memory that is used again.
- **Memory** is the peak of the process during a few calls above what it used before
  them, when the libraries were loaded, the inputs were there, and a batch of two
  examples had been computed. Each peer has a process of its own there, without the
  pool in which TensorFlow keeps what is free where oneDNN is on.
- **The allocator** decides over the times too, for fresh pages cost more than a pass
  over them. The report says whether TensorFlow keeps what is freed: with oneDNN, its
  default on x86, it does, and with ``TF_ENABLE_ONEDNN_OPTS=0`` it does not.
"""
