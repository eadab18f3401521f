#!/bin/sh
# The MLflow UI and server on the store beside this file; HOST and PORT choose where it listens.
# For a team: HOST=0.0.0.0 sh mlflow/serve.sh, and tracking.uri=http://<this machine>:5000 for everybody.
set -eu
cd "$(dirname "$0")"
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false    # its workers take 2 GB and nothing here uses them
exec ../.venv/bin/python -m mlflow server --workers 1 --host "${HOST:-127.0.0.1}" --port "${PORT:-5000}" \
    --backend-store-uri "sqlite:///$PWD/mlflow.db" --artifacts-destination "$PWD/artifacts"
