"""Plain HTTP and JSON, as admin: importing openstacksdk takes longer than all that is asked with this."""
import json
import os
import urllib.error
import urllib.request

PORT = {k[5:].lower(): int(v) for k, v in os.environ.items() if k.startswith('PORT_')}
KEYSTONE = 'http://127.0.0.1:%d/v3' % PORT['keystone']
NOVA = 'http://127.0.0.1:%d/v2.1' % PORT['nova']
CINDER = 'http://127.0.0.1:%d/v3' % PORT['cinder']
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method, url, body=None, token=None):
    """The reply's JSON and headers; an answer of 4xx or 5xx is an exception."""
    request = urllib.request.Request(url, method=method)
    if token:
        request.add_header('X-Auth-Token', token)
    if body is not None:
        request.add_header('Content-Type', 'application/json')
        body = json.dumps(body).encode()
    try:
        with opener.open(request, body, timeout=120) as reply:
            text = reply.read()
            return (json.loads(text) if text else None), reply.headers
    except urllib.error.HTTPError as error:
        error.add_note('%s %s: %s' % (method, url, error.read().decode(errors='replace')))
        raise


def login(user, password, project):
    """A token for a user of the default domain, and what it says about him."""
    domain = {'id': 'default'}
    body, headers = call('POST', KEYSTONE + '/auth/tokens', {'auth': {
        'identity': {'methods': ['password'], 'password': {
            'user': {'name': user, 'domain': domain, 'password': password}}},
        'scope': {'project': {'name': project, 'domain': domain}}}})
    return headers['X-Subject-Token'], body['token']
