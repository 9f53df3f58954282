"""Adds servers to Nova's database as clones of a real one, and removes them again.

They belong to a host of their own, so that the real nova-compute does not account for them. Nova answers with them;
deleting one works as it does where the compute host is gone.
"""
import argparse
import os
import uuid

import pymysql

HOST = 'synthetic-host'

parser = argparse.ArgumentParser(prog='servers')
commands = parser.add_subparsers(dest='command', required=True)
add = commands.add_parser('add')
add.add_argument('count', type=int)
add.add_argument('--like', required=True, metavar='SERVER_ID', help='the real server that is cloned')
add.add_argument('--image', action='append', metavar='IMAGE_ID',
                 help='the images they were made from, in turn; default: that of the real server')
add.add_argument('--cell2', action='store_true', help='put them into the second cell')
commands.add_parser('remove')
arguments = parser.parse_args()

connection = pymysql.connect(unix_socket=os.environ['SOCKET'], user='root', database='nova', charset='utf8mb4')
cursor = connection.cursor()
cursor.execute('set foreign_key_checks = 0')


def remove():
    for cell in ('nova', 'nova_cell2'):
        of_host = f'join {cell}.instances i on i.uuid = t.instance_uuid where i.host = %s'
        for table in ('nova_api.instance_mappings', f'{cell}.instance_extra', f'{cell}.instance_info_caches',
                      f'{cell}.instance_system_metadata', f'{cell}.instance_actions'):
            cursor.execute(f'delete t from {table} t {of_host}', HOST)
        cursor.execute(f'delete from {cell}.instances where host = %s', HOST)
    cursor.execute('delete from nova_api.host_mappings where host = %s', HOST)


def add_servers(count, like, images, cell):
    found = cursor.execute('select image_ref from nova.instances where uuid = %s and deleted = 0', like)
    if not found:
        parser.error(f'there is no server `{like}` in the first cell')
    images = images or [cursor.fetchone()[0]]
    cursor.execute('select id from nova_api.cell_mappings where name = %s', 'cell2' if cell == 'nova_cell2' else 'cell1')
    (cell_id,) = cursor.fetchone()
    cursor.execute('create temporary table new (n int primary key, uuid char(36), image varchar(64)) '
                   'character set utf8mb4')
    cursor.executemany('insert into new values (%s, %s, %s)',
                       [(n, str(uuid.uuid4()), images[n % len(images)]) for n in range(count)])

    def clone(source, target, key, **changed):
        """Copies the template's rows once for each new server, with some columns changed."""
        cursor.execute(f'show columns from {source}')
        columns = [row[0] for row in cursor.fetchall() if row[0] != 'id' and 'GENERATED' not in row[5]]
        names = ', '.join(f'`{column}`' for column in columns)
        values = ', '.join(changed.get(column, f't.`{column}`') for column in columns)
        cursor.execute(f'insert into {target} ({names}) select {values} from {source} t, new where t.{key} = %s', like)

    name = "concat('synthetic-', new.n)"
    host = f"'{HOST}'"
    clone('nova.instances', f'{cell}.instances', 'uuid', uuid='new.uuid', image_ref='new.image', hostname=name,
          display_name=name, host=host, launched_on=host, node=host)
    for table in ('instance_extra', 'instance_info_caches'):
        clone(f'nova.{table}', f'{cell}.{table}', 'instance_uuid', instance_uuid='new.uuid')
    clone('nova.instance_system_metadata', f'{cell}.instance_system_metadata', 'instance_uuid',
          instance_uuid='new.uuid', value="if(t.`key` = 'image_base_image_ref', new.image, t.value)")
    clone('nova_api.instance_mappings', 'nova_api.instance_mappings', 'instance_uuid', instance_uuid='new.uuid',
          cell_id=str(cell_id))
    if cell == 'nova_cell2':
        # A cell has hosts; this is how Nova knows whose services to call UNKNOWN when the cell does not answer.
        cursor.execute('insert ignore into nova_api.host_mappings (created_at, cell_id, host) values (now(), %s, %s)',
                       (cell_id, HOST))


if arguments.command == 'remove':
    remove()
else:
    add_servers(arguments.count, arguments.like, arguments.image, 'nova_cell2' if arguments.cell2 else 'nova')
connection.commit()
