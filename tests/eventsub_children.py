"""A web server that takes deliveries and dies on order, in a process of its own."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from flask import Flask
from pydantic import SecretStr
from waitress.server import create_server

from collectors.eventsub_parse import parse_notification
from dashboard.eventsub_message import EventSubMessage
from dashboard.eventsub_web import answer_deliveries
from dashboard.storage.eventsub_receiver import EventSubReceiver

SECRET = "a-secret-of-the-tests"


class Dying(EventSubReceiver):
    """Kills its process between the store and the answer to one message."""

    deadly = ""

    def receive(self, message: EventSubMessage) -> bool:
        is_new = super().receive(message)
        if message.message_id == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return is_new


def serve(data_dir: Path, deadly: str, pipe: Connection) -> None:
    """Serves until it is killed, or until the message with that id is stored; tells its port first."""
    receiver = Dying(data_dir, parse_notification)
    receiver.deadly = deadly
    server = Flask("child")
    answer_deliveries(server, lambda: SecretStr(SECRET), receiver)
    waitress = create_server(server, host="127.0.0.1", port=0, threads=8)
    pipe.send(waitress.effective_port)
    waitress.run()
