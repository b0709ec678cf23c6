# The service for one model, mounted at /model:
#
#     docker build -t embedkit .
#     docker run -p 8000:8000 -e EMBEDKIT_API_KEY -v "$PWD/model.embedkit:/model:ro" embedkit
FROM python:3.13-slim

WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY embedkit embedkit
# All requirements of the service except torch, which is used only for GPU and distributed training.
RUN python -c 'import tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
needed = project["dependencies"] + project["optional-dependencies"]["serve"]; \
print(*(line for line in needed if not line.startswith("torch")), sep="\n")' > needed.txt \
    && pip install --no-cache-dir --constraint constraints.txt --requirement needed.txt \
    && pip install --no-cache-dir --no-deps . \
    && useradd --system --no-create-home --uid 10001 embedkit

# A numeric ID, so that Kubernetes can verify that the user is not root.
USER 10001
WORKDIR /
ENV EMBEDKIT_MODEL=/model
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz')"]
ENTRYPOINT ["embedkit", "serve", "--host", "0.0.0.0"]
CMD ["--reload-model"]
