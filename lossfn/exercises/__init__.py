"""The book's exercises, and what says whether an answer is right.

An exercise of a chapter has a label, ``ex-01-bits`` for instance. :func:`check_answer`
takes the label and an answer, which is a function or a value, whatever the exercise
asks for. It runs on your machine, asks nobody, and says in words what is wrong:

>>> from lossfn.exercises import check_answer
>>> check_answer("ex-02-uniform", 2.0)
ex-02-uniform is not right yet. uniform_guess must be a function, got the number 2.

An answer that is right is told what it was compared with. :func:`exercises_of` lists
the exercises that can be checked; the others ask for a derivation or an experiment, and
their solutions are in the chapters.

Importing the package imports TensorFlow only when a chapter's checks need it.
"""

from lossfn.exercises._answer import WrongAnswerError
from lossfn.exercises._exercise import Exercise
from lossfn.exercises._verdict import Verdict, check_answer, exercises_of

__all__ = [
    "Exercise",
    "Verdict",
    "WrongAnswerError",
    "check_answer",
    "exercises_of",
]
