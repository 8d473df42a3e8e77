# The image: a root with one static binary and the few files that it reads. `--target full` adds git and kubectl, which git
# artifacts and resource templates need.
#
#     docker build --build-arg SOURCE_COMMIT=$(git rev-parse HEAD) -t argoexec .
#
# Nothing is done here but run the scripts, so that all of it can be tried without a container engine.

FROM swift:6.3-bookworm AS builder
WORKDIR /source
COPY Package.swift ./
COPY scripts scripts
RUN scripts/install-packages build static image && scripts/build-dependencies
COPY Sources Sources
COPY Tests Tests
ARG SOURCE_COMMIT SOURCE_TAG SOURCE_DATE_EPOCH
RUN scripts/build-static && scripts/image-root /image

FROM debian:bookworm-slim AS full
RUN apt-get update \
    && apt-get install -y --no-install-recommends git openssh-client kubernetes-client \
    && rm -rf /var/lib/apt/lists/*
COPY --from=builder /image/etc/ /etc/
COPY --from=builder /image/bin/argoexec /bin/argoexec
ENTRYPOINT ["argoexec"]

FROM scratch AS argoexec
COPY --from=builder /image/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENTRYPOINT ["argoexec"]
