"""Nova's API, conductor, scheduler and compute in one process, over oslo.messaging's in-process ``fake://`` transport.

Everything is Nova's own code; this replaces only its four start scripts and the message broker. It also serves the
Neutron stub, for Nova asks Neutron for security groups in every view of a server, even one without networks.
"""
import os
import signal
import sys
import threading
import traceback

os.environ['OS_NOVA_DISABLE_EVENTLET_PATCHING'] = '1'
os.environ['OS_NOVA_CONFIG_DIR'] = os.environ['LAB_ETC']
os.environ['OS_NOVA_CONFIG_FILES'] = 'nova-api-paste.ini;nova.conf'
sys.argv = ['nova-all']

from nova import monkey_patch
monkey_patch.patch(backend='threading')

import neutron_stub
import waitress


# Threads must not keep a process alive whose start failed.
signal.signal(signal.SIGTERM, lambda *a: os._exit(0))
signal.signal(signal.SIGINT, lambda *a: os._exit(0))


def serve(app, port, threads):
    waitress.serve(app, host='127.0.0.1', port=port, threads=threads,
                   ident=None, backlog=512, connection_limit=500,
                   max_request_body_size=1 << 40, channel_timeout=300)


threading.Thread(target=serve, daemon=True, args=(
    neutron_stub.application, int(os.environ['PORT_NEUTRON']), 4)).start()


def main():
    from nova.api.openstack import wsgi_app

    app = wsgi_app.init_application('osapi_compute', 'nova-api-os-compute')

    import os_brick
    import os_vif
    from nova.compute import rpcapi as compute_rpcapi
    from nova.conductor import rpcapi as conductor_rpcapi
    import nova.conf
    from nova import context
    from nova import objects
    from nova.objects import host_mapping
    from nova.scheduler import rpcapi as scheduler_rpcapi
    from nova import service

    # Nova loads only drivers found beneath nova.virt.
    import nova.virt
    import nova_driver
    sys.modules['nova.virt.lab_driver'] = nova.virt.lab_driver = nova_driver

    CONF = nova.conf.CONF
    objects.register_all()
    os_brick.setup(CONF)
    os_vif.initialize()

    running = []
    for binary, kw in (
            ('nova-conductor', {'topic': conductor_rpcapi.RPC_TOPIC}),
            ('nova-scheduler', {'topic': scheduler_rpcapi.RPC_TOPIC}),
            ('nova-compute', {'topic': compute_rpcapi.RPC_TOPIC,
                              'topic_alt': compute_rpcapi.RPC_TOPIC_ALT})):
        svc = service.Service.create(binary=binary, **kw)
        svc.start()
        running.append(svc)

    # What `nova-manage cell_v2 discover_hosts` does.
    host_mapping.discover_hosts(context.get_admin_context())

    print('nova-all: ready', flush=True)
    serve(app, int(os.environ['PORT_NOVA']), 8)


try:
    main()
except BaseException:
    traceback.print_exc()
    os._exit(1)
