"""Ends every connection to one of MariaDB's databases.

usage: disconnect.py DATABASE
"""
import os
import sys

import pymysql

connection = pymysql.connect(unix_socket=os.environ['SOCKET'], user='root')
with connection.cursor() as cursor:
    cursor.execute('select id from information_schema.processlist where db = %s', sys.argv[1])
    for (number,) in cursor.fetchall():
        try:
            cursor.execute('kill %s', (number,))
        except pymysql.err.OperationalError as error:
            if error.args[0] != pymysql.constants.ER.NO_SUCH_THREAD:
                raise
