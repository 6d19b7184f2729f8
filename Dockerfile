# One image, three ways to run it: everything (default), or `web`, `collect`, `work` in containers of their own
# on one /data (a local disk: the catalogue and the locks are files). It listens on every address, so it
# does not start without ALLOWED_USER_IDS and a login (README.md).
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data HOST=0.0.0.0 PORT=5000
WORKDIR /streamlens

COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .

RUN useradd --system --uid 10001 streamlens && mkdir /data && chown streamlens /data
USER streamlens
VOLUME /data
EXPOSE 5000
# Asks the web server; start `collect` and `work` on their own with --no-healthcheck, they have none.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD python -c "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"
ENTRYPOINT ["python", "app.py"]
