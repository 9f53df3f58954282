"""The least Neutron that Nova needs for servers without networks: every collection is empty."""
import json


def application(environ, start_response):
    parts = environ['PATH_INFO'].strip('/').split('/')
    if len(parts) < 2:
        body = {'versions': [{'id': 'v2.0', 'status': 'CURRENT', 'links': []}]}
        status = '200 OK'
    else:
        name = parts[1].split('.')[0].replace('-', '_')
        if environ['REQUEST_METHOD'] != 'GET' or len(parts) > 2:
            body = {'NeutronError': {'type': 'NotFound', 'detail': '',
                                     'message': 'neutron stub: nothing here'}}
            status = '404 Not Found'
        else:
            body, status = {name: []}, '200 OK'
    data = json.dumps(body).encode()
    start_response(status, [('Content-Type', 'application/json'),
                            ('Content-Length', str(len(data)))])
    return [data]
