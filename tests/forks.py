"""Runs scripts in forks of a process that has imported everything already; asked by one line of JSON, answers by one.

    {"script": text, "arguments": …, "environment": …, "cwd": …, "out": file, "err": file}   its process number
    {"poll": number}                                                                          exit code, or null

Everything imported below is what scripts use. Nothing is computed here before a fork: threads of OpenMP do not survive one.
"""

import json
import os
import sys
import traceback

import sklearn.datasets  # noqa: F401
import torch._dynamo  # noqa: F401

import diabolo.cli.main
import diabolo.cli.resume
import diabolo.cli.sweep
import diabolo.cli.train
import diabolo.evaluation
import diabolo.sweeping.joining
import diabolo.training.code_priors  # noqa: F401


def child(request):
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    for number, name in enumerate((os.devnull, request["out"], request["err"])):
        os.dup2(os.open(name, os.O_WRONLY if number else os.O_RDONLY), number)
    sys.argv = ["script", *request["arguments"]]
    code = 0
    try:
        exec(compile(request["script"], "script", "exec"), {"__name__": "__main__"})
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


for line in sys.stdin:
    request = json.loads(line)
    if "poll" in request:
        pid, status = os.waitpid(request["poll"], os.WNOHANG)
        answer = os.waitstatus_to_exitcode(status) if pid else None
    else:
        answer = os.fork()
        if answer == 0:
            child(request)
    print(json.dumps(answer), flush=True)
