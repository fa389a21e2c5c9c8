#!/bin/sh
exec /opt/opencto/bin/python -m opencto "$@"
