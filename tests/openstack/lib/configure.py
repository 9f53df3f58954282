"""Writes every configuration file, beneath the lab's directory only."""
import os
import shutil
import sys

ENV = os.environ
LAB, ETC, PASSWORD = ENV['LAB'], ENV['LAB_ETC'], ENV['SERVICE_PASSWORD']
PORT = {k[5:].lower(): int(v) for k, v in ENV.items() if k.startswith('PORT_')}
SHIPPED = os.path.join(sys.prefix, 'etc')
STATE = os.path.join(LAB, 'state')
KEYSTONE = 'http://127.0.0.1:%d' % PORT['keystone']


def database(name, socket=ENV['SOCKET']):
    # MariaDB and not SQLite, which answers 500 `database is locked` to two writers at once, and compares names by
    # case; real clouds do neither.
    return f'mysql+pymysql://root@localhost/{name}?unix_socket={socket}&charset=utf8mb4'


def write(path, text, mode=0o600):
    path = os.path.join(LAB, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        file.write(text)
    os.chmod(path, mode)


def credentials(user, section):
    return f"""
[{section}]
auth_type = password
auth_url = {KEYSTONE}/v3
username = {user}
password = {PASSWORD}
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
"""


def authtoken(user):
    return credentials(user, 'keystone_authtoken') + f"""www_authenticate_uri = {KEYSTONE}
service_token_roles = service
service_token_roles_required = true
interface = internal
"""


def service_user(user):
    return credentials(user, 'service_user') + 'send_service_user_token = true\n'


COMMON = f"""[DEFAULT]
debug = {ENV.get('GALLERIST_LAB_DEBUG', 'false')}
use_stderr = true
"""

write('etc/port', str(PORT['keystone']), 0o644)

write('etc/keystone.conf', COMMON + f"""max_token_size = 255
[database]
connection = {database('keystone')}
[token]
provider = fernet
[fernet_tokens]
key_repository = {STATE}/fernet-keys
[credential]
key_repository = {STATE}/credential-keys
[identity]
password_hash_rounds = 4
[cache]
enabled = true
backend = oslo_cache.dict
expiration_time = 60
""")

for n, stores in ((1, ('fast', 'cheap')), (2, ('file',))):
    data = f'{STATE}/glance{n}'
    for directory in stores + ('staging', 'tasks'):
        os.makedirs(f'{data}/{directory}', exist_ok=True)
    port = PORT['glance'] if n == 1 else PORT['glance2']
    write(f'etc/glance{n}/glance-api.conf', COMMON + f"""bind_host = 127.0.0.1
bind_port = {port}
public_endpoint = http://127.0.0.1:{port}
worker_self_reference_url = http://127.0.0.1:{port}
enabled_backends = {','.join(store + ':file' for store in stores)}
enabled_import_methods = [glance-direct,web-download,copy-image,glance-download]
image_cache_dir = {data}/cache
[glance_store]
default_backend = {stores[0]}
""" + ''.join(f"""[{store}]
filesystem_store_datadir = {data}/{store}
""" for store in stores) + f"""[os_glance_staging_store]
filesystem_store_datadir = {data}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {data}/tasks
[database]
connection = {database('glance%d' % n)}
[paste_deploy]
flavor = keystone
config_file = {ETC}/glance{n}/glance-api-paste.ini
[import_filtering_opts]
# web-download refuses loopback unless it is listed; no ports listed means any, for the tests' own servers.
allowed_hosts = [127.0.0.1,localhost]
allowed_ports = []
[oslo_concurrency]
lock_path = {STATE}/lock
[oslo_policy]
policy_file = {ETC}/glance{n}/policy.yaml
""" + authtoken('glance'))
    shutil.copy(f'{SHIPPED}/glance/glance-api-paste.ini', f'{ETC}/glance{n}/')
    # Whoever tries a policy edits this file and restarts Glance; it is not written again.
    if not os.path.exists(f'{ETC}/glance{n}/policy.yaml'):
        write(f'etc/glance{n}/policy.yaml', '{}\n')

write('etc/placement.conf', COMMON + f"""[api]
auth_strategy = keystone
[placement_database]
connection = {database('placement')}
""" + authtoken('placement'))

shutil.copy(f'{SHIPPED}/nova/api-paste.ini', f'{ETC}/nova-api-paste.ini')
write('etc/nova.conf', COMMON + f"""my_ip = 127.0.0.1
host = lab-compute
transport_url = fake://
rpc_response_timeout = 60
# On a busy machine a heartbeat may be late.
service_down_time = 300
compute_driver = lab_driver.LabDriver
state_path = {STATE}/nova
instances_path = {STATE}/nova/instances
log_options = false
# The servers live in memory: no periodic task may turn off what it does not see.
sync_power_state_interval = -1
running_deleted_instance_action = noop
running_deleted_instance_poll_interval = 0
heal_instance_info_cache_interval = -1
instance_usage_audit = false
update_resources_interval = 600
reclaim_instance_interval = {ENV.get('LAB_RECLAIM', '0')}
initial_cpu_allocation_ratio = 64.0
initial_ram_allocation_ratio = 64.0
initial_disk_allocation_ratio = 64.0
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
shelved_offload_time = 0
[api]
auth_strategy = keystone
[api_database]
connection = {database('nova_api')}
[database]
connection = {database('nova')}
[quota]
instances = -1
cores = -1
ram = -1
[conductor]
workers = 1
[scheduler]
workers = 1
[filter_scheduler]
track_instance_changes = false
[oslo_concurrency]
lock_path = {STATE}/lock
[oslo_messaging_notifications]
driver = noop
[workarounds]
disable_compute_service_check_for_ffu = true
[vnc]
enabled = false
[neutron]
endpoint_override = http://127.0.0.1:{PORT['neutron']}
auth_type = none
[glance]
endpoint_override = http://127.0.0.1:{PORT['glance']}
[cinder]
catalog_info = volumev3::publicURL
os_region_name = RegionOne
""" + service_user('nova') + authtoken('nova') + credentials('nova', 'placement'))
write('etc/nova-cell2.conf', f"""[DEFAULT]
transport_url = fake:///cell2
[database]
connection = {database('nova_cell2', ENV['SOCKET_CELL2'])}
""")

shutil.copy(f'{SHIPPED}/cinder/api-paste.ini', f'{ETC}/cinder-api-paste.ini')
shutil.copy(f'{SHIPPED}/cinder/resource_filters.json', f'{ETC}/cinder-resource_filters.json')
shutil.copytree(f'{SHIPPED}/cinder/rootwrap.d', f'{ETC}/cinder-rootwrap.d', dirs_exist_ok=True)
write('etc/cinder-rootwrap.conf', f"""[DEFAULT]
filters_path = {ETC}/cinder-rootwrap.d
exec_dirs = {LAB}/venv/bin,{LAB}/bin,/sbin,/usr/sbin,/bin,/usr/bin,/usr/local/bin
use_syslog = False
""")
write('etc/cinder.conf', COMMON + f"""my_ip = 127.0.0.1
host = lab-volume
transport_url = fake://
state_path = {STATE}/cinder
service_down_time = 300
auth_strategy = keystone
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = {PORT['cinder']}
osapi_volume_workers = 1
api_paste_config = {ETC}/cinder-api-paste.ini
resource_query_filters_file = {ETC}/cinder-resource_filters.json
rootwrap_config = {ETC}/cinder-rootwrap.conf
enabled_backends = lab
default_volume_type = lab
glance_api_servers = http://127.0.0.1:{PORT['glance']}
glance_catalog_info = image:glance:publicURL
image_conversion_dir = {STATE}/cinder/conversion
quota_volumes = -1
quota_gigabytes = -1
quota_snapshots = -1
allowed_direct_url_schemes =
[lab]
volume_driver = cinder_driver.FileDriver
volume_backend_name = lab
lab_volumes = {STATE}/cinder/volumes
[database]
connection = {database('cinder')}
[oslo_concurrency]
lock_path = {STATE}/lock
[coordination]
backend_url = file://{STATE}/cinder/coordination
[oslo_messaging_notifications]
driver = noop
""" + service_user('cinder') + authtoken('cinder') + credentials('nova', 'nova'))
for directory in ('nova/instances', 'cinder/volumes', 'cinder/conversion', 'cinder/coordination', 'lock'):
    os.makedirs(f'{STATE}/{directory}', exist_ok=True)

# cinder calls `sudo cinder-rootwrap CONFIG command` for qemu-img on its own files, which needs no right at all.
write('bin/sudo', '#!/bin/sh\ncase "$1" in *-rootwrap) shift 2 ;; esac\nexec "$@"\n', 0o755)
