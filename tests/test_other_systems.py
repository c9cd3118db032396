"""What only some systems have is not needed: as on Windows, where these modules, functions and signals are not there."""

import subprocess
import sys

WITHOUT = """
import os, signal, sys
import psutil, torch
for name in ("resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("getuid", "geteuid", "getgid", "sysconf", "sched_getaffinity", "fork", "killpg", "statvfs", "mkfifo", "setsid",
             "O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK", "O_CLOEXEC", "fchmod"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGQUIT", "SIGPIPE"):
    if hasattr(signal, name):
        delattr(signal, name)
class Peak:
    peak_wset = 5 * 2**20
psutil.Process.memory_info = lambda self: Peak

import diabolo
train, test = diabolo.data.load("digits")
model = diabolo.zoo.vae(train.shape, latent_dim=2, hidden=(16,))
run = diabolo.fit(model, train, validation=test, epochs=1, out=sys.argv[1])
run = diabolo.resume(run.path, epochs=2)
print(*(line["peak_memory_mib"] for line in run.history))
print(diabolo.evaluate(run.path, measures=["reconstruction"])["reconstruction"].scores["MSE"].n)
print(tuple(diabolo.load(run.path).sample(3, seed=0).shape))
"""


def test_a_training_needs_nothing_that_only_posix_has(tmp_path):
    done = subprocess.run([sys.executable, "-c", WITHOUT, tmp_path / "my runs"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == ["5.0 5.0", "360", "(3, 1, 8, 8)"]
