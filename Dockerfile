# The images: `argoexec` holds the executor with kubectl, jq and git, which resource templates and git artifacts need;
# `argoexec-slim` the executor alone. Each has a twin with `-nonroot` at its end, which is run by uid 8737.
#
#     docker build --build-arg SOURCE_COMMIT=$(git rev-parse HEAD) --target argoexec-slim -t argoexec .
#
# Nothing is done here but run the scripts, so that all of it can be tried without a container engine; scripts/image makes the same
# images without one.

FROM swift:6.3-bookworm AS builder
WORKDIR /source
COPY Package.swift ./
COPY scripts scripts
RUN scripts/install-packages build static image && scripts/build-dependencies
ARG KUBECTL_VERSION=1.34.5
RUN scripts/image-tools /image/tools
COPY Sources Sources
COPY Tests Tests
ARG SOURCE_COMMIT SOURCE_TAG SOURCE_DATE_EPOCH
RUN scripts/build-static && scripts/image-root /image/slim

FROM scratch AS argoexec-slim
COPY --from=builder /image/slim/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENTRYPOINT ["argoexec"]

FROM argoexec-slim AS argoexec-slim-nonroot
USER 8737

FROM scratch AS argoexec-nonroot
COPY --from=builder /image/tools/ /
COPY --from=builder /image/slim/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 8737
ENTRYPOINT ["argoexec"]

FROM scratch AS argoexec
COPY --from=builder /image/tools/ /
COPY --from=builder /image/slim/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENTRYPOINT ["argoexec"]
