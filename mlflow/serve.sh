#!/bin/sh
# The MLflow UI and server on the store next to this file; HOST and PORT choose where it listens.
# For a team, on a store of its own, as experiments that run.py made itself keep their files on its own disk:
#   HOST=0.0.0.0 STORE=team.db sh mlflow/serve.sh    and tracking.uri=http://<this machine>:5000 for everybody
# ALLOWED_HOSTS=<name,...>: by which names it may be asked, if not this machine's own names and addresses.
# STORE: an SQLite file, relative to this folder; the files of its runs go to artifacts/ next to it.
# PYTHON: one that has MLflow, if not ../.venv/bin/python.
set -eu
cd "$(dirname "$0")"
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false    # its workers take 2 GB and nothing here uses them
export MLFLOW_DISABLE_TELEMETRY="${MLFLOW_DISABLE_TELEMETRY:-true}"    # nobody is told of what runs here
store="${STORE:-mlflow.db}"
mkdir -p "$(dirname "$store")"
place="$(cd "$(dirname "$store")" && pwd)"
own="$(uname -n) $(hostname -f 2>/dev/null || true) $(hostname -I 2>/dev/null || true)"
hosts="${ALLOWED_HOSTS:-localhost,127.0.0.1,$(echo $own | tr ' ' ,)}"
any_port() { echo "$hosts" | sed "s#[^,][^,]*#$1&,$1&:*#g"; }    # as the UI's own requests name an origin
echo "open http://${HOST:-127.0.0.1}:${PORT:-5000}/#/experiments?workflowType=machine_learning" >&2
echo "click \"Model training\" at its top left, once: else MLflow opens experiments on its pages for chat models" >&2
exec "${PYTHON:-../.venv/bin/python}" -m mlflow server --workers 1 \
    --host "${HOST:-127.0.0.1}" --port "${PORT:-5000}" \
    --allowed-hosts "$(any_port "")" --cors-allowed-origins "$(any_port http://),$(any_port https://)" \
    --backend-store-uri "sqlite:///$place/$(basename "$store")" --artifacts-destination "$place/artifacts"
