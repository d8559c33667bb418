"""on_terminal.py [NAME=VALUE]... COMMAND...: run it with a terminal as its output; print what it wrote there."""
import os
import pty
import subprocess
import sys

args = sys.argv[1:]
env = dict(os.environ)
while "=" in args[0]:
    name, value = args.pop(0).split("=", 1)
    env[name] = value
master, slave = pty.openpty()
child = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=env)
os.close(slave)
out = b""
while True:
    try:
        chunk = os.read(master, 65536)
    except OSError:  # Linux says so when the last writer has closed
        break
    if not chunk:
        break
    out += chunk
sys.stdout.buffer.write(out)
sys.exit(child.wait())
