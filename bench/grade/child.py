"""Work in a process of its own, with an end to its time and memory."""

from __future__ import annotations

import multiprocessing
import os
import sys
import warnings

from grade.formula import FormulaError

MEMORY = 6 << 30


def _limit(seconds):
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 5, int(seconds) + 10))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):
        pass  # then the parent's watch alone ends it


def _body(connection, function, arguments, seconds):
    _limit(seconds)
    sys.setrecursionlimit(20000)
    warnings.simplefilter("ignore")  # a formula may well overflow
    try:
        answer = ("ok", function(*arguments))
    except FormulaError as error:
        answer = ("invalid", str(error))
    except MemoryError:
        answer = ("failed", "out of memory")
    except RecursionError:
        answer = ("failed", "the recursion is too deep")
    except Exception as error:  # one formula must not end a whole measurement
        answer = ("failed", f"{type(error).__name__}: {error}")
    try:
        connection.send(answer)
        connection.close()
    finally:
        os._exit(0)


def in_child(function, arguments, seconds):
    """Call in a child that is killed after `seconds`.

    Returns ("ok", value), ("invalid", text) for a FormulaError, ("failed", text) or ("timeout", text).
    """
    fork = "fork" in multiprocessing.get_all_start_methods()
    if fork:
        import sympy  # noqa: F401  (once here, and not in every child)
    context = multiprocessing.get_context("fork" if fork else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_body, args=(sender, function, arguments, seconds))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of fork beside threads: the child starts none
        process.start()
    sender.close()
    answer = ("timeout", f"no answer within {seconds:g} s")
    try:
        if receiver.poll(seconds):
            answer = receiver.recv()
    except EOFError:
        answer = ("failed", "the process died")
    finally:
        if process.is_alive():
            process.terminate()
            process.join(0.5)
            if process.is_alive():
                process.kill()
        process.join()
        receiver.close()
    return answer
