"""Users, projects, roles, service catalogue, application credentials and clouds.yaml; makes only what is missing."""
import json
import os

import rest

ENV = os.environ
ADMIN, USER, SERVICE = (ENV[who + '_PASSWORD'] for who in ('ADMIN', 'USER', 'SERVICE'))
TOKEN, _ = rest.login('admin', ADMIN, 'admin')


def keystone(method, path, body=None, token=TOKEN):
    return rest.call(method, rest.KEYSTONE + path, body, token)[0]


def ensure(kind, name, **attributes):
    plural = kind + 's'
    found = keystone('GET', f'/{plural}?name={name}')[plural]
    if found:
        return found[0]['id']
    return keystone('POST', f'/{plural}', {kind: dict(name=name, **attributes)})[kind]['id']


role = {name: ensure('role', name) for name in ('admin', 'member', 'reader', 'service')}
project = {name: ensure('project', name, domain_id='default') for name in ('admin', 'service', 'demo', 'other')}


def user(name, password, home, *roles):
    user_id = ensure('user', name, domain_id='default', password=password)
    for name in roles:
        keystone('PUT', f'/projects/{project[home]}/users/{user_id}/roles/{role[name]}')


for name in ('glance', 'nova', 'placement', 'cinder'):
    user(name, SERVICE, 'service', 'admin', 'service')
user('demo', USER, 'demo', 'member')
user('other', USER, 'other', 'member')
# Sees what the admin project sees and may change nothing.
user('auditor', USER, 'admin', 'reader')

regions = {region['id'] for region in keystone('GET', '/regions')['regions']}
for name in {'RegionOne', 'RegionTwo'} - regions:
    keystone('POST', '/regions', {'region': {'id': name}})

catalogue = [
    ('keystone', 'identity', 'RegionOne', rest.KEYSTONE),
    ('keystone', 'identity', 'RegionTwo', rest.KEYSTONE),
    ('glance', 'image', 'RegionOne', 'http://127.0.0.1:%d' % rest.PORT['glance']),
    ('glance', 'image', 'RegionTwo', 'http://127.0.0.1:%d' % rest.PORT['glance2']),
    ('placement', 'placement', 'RegionOne', 'http://127.0.0.1:%d' % rest.PORT['placement']),
    ('nova', 'compute', 'RegionOne', rest.NOVA),
    # As devstack and Kolla register it: under the type of today, and as volumev3 with the project's id in the URL.
    ('cinder', 'block-storage', 'RegionOne', rest.CINDER),
    ('cinderv3', 'volumev3', 'RegionOne', rest.CINDER + '/%(project_id)s'),
]
endpoints = {(e['service_id'], e['region_id'], e['interface']): e for e in keystone('GET', '/endpoints')['endpoints']}
for name, kind, region, url in catalogue:
    service_id = ensure('service', name, type=kind)
    for interface in ('public', 'internal', 'admin'):
        old = endpoints.get((service_id, region, interface))
        if old is None:
            keystone('POST', '/endpoints', {'endpoint': {
                'service_id': service_id, 'region_id': region, 'interface': interface, 'url': url}})
        elif old['url'] != url:
            keystone('PATCH', '/endpoints/' + old['id'], {'endpoint': {'url': url}})


def application_credential(name, user_name, password, home):
    # The secret is told once, so it is kept.
    path = os.path.join(ENV['LAB'], 'state', f'application-credential-{name}.json')
    if not os.path.exists(path):
        token, body = rest.login(user_name, password, home)
        made = keystone('POST', f'/users/{body["user"]["id"]}/application_credentials',
                        {'application_credential': {'name': name}}, token)
        with open(path, 'w', opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            json.dump(made['application_credential'], file)
    with open(path) as file:
        return json.load(file)


def cloud(user_name, password, home, region='RegionOne'):
    return {'auth': {'auth_url': rest.KEYSTONE, 'username': user_name, 'password': password, 'project_name': home,
                     'user_domain_name': 'Default', 'project_domain_name': 'Default'}, 'region_name': region}


def application_cloud(made):
    return {'auth_type': 'v3applicationcredential',
            'auth': {'auth_url': rest.KEYSTONE, 'application_credential_id': made['id'],
                     'application_credential_secret': made['secret']}, 'region_name': 'RegionOne'}


clouds = {
    'lab-admin': cloud('admin', ADMIN, 'admin'),
    'lab-admin-two': cloud('admin', ADMIN, 'admin', 'RegionTwo'),
    'lab-user': cloud('demo', USER, 'demo'),
    'lab-user-two': cloud('demo', USER, 'demo', 'RegionTwo'),
    'lab-other': cloud('other', USER, 'other'),
    'lab-auditor': cloud('auditor', USER, 'admin'),
    'lab-appcred': application_cloud(application_credential('admin', 'admin', ADMIN, 'admin')),
    'lab-appcred-user': application_cloud(application_credential('user', 'demo', USER, 'demo')),
}
# JSON is YAML.
path = os.path.join(ENV['LAB'], 'clouds.yaml')
with open(path + '.new', 'w', opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
    json.dump({'clouds': clouds}, file, indent=2)
os.rename(path + '.new', path)
