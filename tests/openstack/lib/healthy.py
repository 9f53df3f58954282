"""Waits until every service of Nova and Cinder is up and known, and makes the flavors and the volume type."""
import os
import sys
import time

import rest

TOKEN, _ = rest.login('admin', os.environ['ADMIN_PASSWORD'], 'admin')


def get(url):
    return rest.call('GET', url, token=TOKEN)[0]


wanted = {'nova-conductor', 'nova-scheduler', 'nova-compute', 'cinder-scheduler', 'cinder-volume'}
deadline = time.monotonic() + int(os.environ['LAB_PATIENCE'])
while True:
    try:
        services = get(rest.NOVA + '/os-services')['services'] + get(rest.CINDER + '/os-services')['services']
        missing = wanted - {service['binary'] for service in services if service['state'] == 'up'}
        if not missing and not get(rest.NOVA + '/os-hypervisors')['hypervisors']:
            missing = {'a hypervisor'}
    except OSError as error:
        # A refusal, a time-out, an answer of 5xx.
        missing = {str(error)}
    if not missing:
        break
    if time.monotonic() > deadline:
        sys.exit('not up: %s' % ', '.join(sorted(missing)))
    time.sleep(0.2)

flavors = {flavor['id'] for flavor in get(rest.NOVA + '/flavors')['flavors']}
# With networks=none a server needs a disk of its own, hence no flavor with disk 0.
for flavor_id, name, ram, disk in (('1', 'm1.nano', 64, 1), ('2', 'm1.tiny', 512, 1), ('3', 'm1.small', 2048, 20)):
    if flavor_id not in flavors:
        rest.call('POST', rest.NOVA + '/flavors', {'flavor': {
            'id': flavor_id, 'name': name, 'ram': ram, 'vcpus': 1, 'disk': disk}}, TOKEN)
if 'lab' not in {kind['name'] for kind in get(rest.CINDER + '/types')['volume_types']}:
    rest.call('POST', rest.CINDER + '/types', {'volume_type': {
        'name': 'lab', 'extra_specs': {'volume_backend_name': 'lab'}}}, TOKEN)
