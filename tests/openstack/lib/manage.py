"""Runs several commands of keystone-manage or nova-manage with one import of the code, which takes 2 to 3 s: each
command in a forked child, after the first that fails none.

usage: manage.py keystone|nova CONFIG_FILE 'command argument …' …
"""
import os
import shlex
import sys

name, conf, commands = sys.argv[1], sys.argv[2], sys.argv[3:]
sys.argv = [name + '-manage', '--config-file', conf]
if name == 'keystone':
    from keystone.cmd import manage
else:
    from nova.cmd import manage

for command in commands:
    print('+', sys.argv[0], command, flush=True)
    pid = os.fork()
    if pid == 0:
        sys.argv += shlex.split(command)
        code = 1
        try:
            code = manage.main() or 0
        except SystemExit as e:
            code = e.code or 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 1)
    _, status = os.waitpid(pid, 0)
    if status:
        sys.exit('%s: status %d' % (command, status))
