"""The instructor's kit: notebooks for a class, and a repository that grades them.

    python -m tools.kit                 write _build/kit, all chapters
    python -m tools.kit 03 08           only these chapters
    python -m tools.kit --round-trip    and grade the solutions and the empty notebooks

The kit is made from the chapters as they are: what stands between ``solution-start``
and ``solution-end`` becomes a stub for the student, and the call of ``check_answer`` in
it says what the stub is called.
"""
