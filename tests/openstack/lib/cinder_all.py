"""Cinder's API, scheduler and volume service in one process, over oslo.messaging's in-process ``fake://`` transport."""
import os
import sys

from cinder import monkey_patch
monkey_patch.patch()

import logging as python_logging
import shlex

import os_brick
from oslo_config import cfg
from oslo_log import log as logging
from oslo_privsep import priv_context
from oslo_service import service as oslo_service
from cinder import i18n
i18n.enable_lazy()
from cinder.common import config
from cinder.common import constants
from cinder.cmd import volume as cmd_volume  # registers options
from cinder import coordination
from cinder import objects
from cinder import rpc
from cinder import service
from cinder import utils
from cinder import version

CONF = cfg.CONF


class Service(service.Service):
    """Cinder keeps the id of "the" service of a process in a class attribute, so that of two services in one process
    only the last would send heartbeats."""

    def report_state(self):
        service.Service.service_id = self.origin_service_id
        super().report_state()


def main():
    objects.register_all()
    CONF(['--config-file', os.path.join(os.environ['LAB_ETC'], 'cinder.conf')],
         project='cinder', version=version.version_string())
    config.set_middleware_defaults()
    logging.setup(CONF, 'cinder')
    python_logging.captureWarnings(True)
    priv_context.init(root_helper=shlex.split(utils.get_root_helper()))
    os_brick.setup(CONF)
    coordination.COORDINATOR.start()
    rpc.init(CONF)
    launcher = oslo_service.ServiceLauncher(CONF, restart_method='mutate')
    launcher.launch_service(
        Service.create(binary='cinder-scheduler'))
    backend = CONF.enabled_backends[0]
    CONF.register_opt(cmd_volume.host_opt, group=backend)
    launcher.launch_service(Service.create(
        host='%s@%s' % (CONF.host, backend), service_name=backend,
        binary=constants.VOLUME_BINARY, coordination=True))
    launcher.launch_service(service.WSGIService('osapi_volume'))
    print('cinder-all: ready', flush=True)
    launcher.wait()


if __name__ == '__main__':
    sys.exit(main())
