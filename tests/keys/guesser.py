"""Guesses the passphrase of a locked vault as often as it can, and keeps requests open whose bodies come slowly. Says a line for each
wrong passphrase that was looked at."""

import http.client
import socket
import sys
import threading
import time

HOST, PORT = sys.argv[1], int(sys.argv[2])
BODY = b'{"passphrase": "incorrect donkey battery"}'
HEADERS = {"Content-Type": "application/json"}
SLOW = b"POST /v1/keys/unlock HTTP/1.1\r\nHost: vault\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def slowly():
    while True:
        try:
            with socket.create_connection((HOST, PORT), timeout=30) as connection:
                connection.sendall(SLOW % len(BODY))
                for byte in BODY:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.2)
        except OSError:
            time.sleep(0.05)


for _ in range(16):
    threading.Thread(target=slowly, daemon=True).start()
while True:
    try:
        connection = http.client.HTTPConnection(HOST, PORT, timeout=30)
        connection.request("POST", "/v1/keys/unlock", BODY, HEADERS)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 403:
            print("wrong", flush=True)
    except OSError:
        pass
    time.sleep(0.01)
