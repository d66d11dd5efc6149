# Partnerguard in a container: one static program, nobody's root, no shell.
#
#   docker build -t partnerguard .
#   docker run --rm partnerguard assess
#   docker run -d -v partnerguard:/data -p 127.0.0.1:8443:8443 -v /srv/tls:/tls:ro \
#     -e PARTNERGUARD_LISTEN=0.0.0.0:8443 -e PARTNERGUARD_TLS_CERTIFICATE=/tls/crt.pem \
#     -e PARTNERGUARD_TLS_KEY=/tls/key.pem partnerguard
#
# A worker over PostgreSQL is the same image: partnerguard worker, with
# PARTNERGUARD_DATABASE and the master key mounted. docs/install.md says the rest. Pin both images by digest where you build for others.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The repository is the builder's, not root's: git needs to be told that it may be read.
RUN git config --global --add safe.directory /src && \
    mkdir -p /out/data && chmod 0700 /out/data && \
    CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -buildid=" -o /out/partnerguard ./cmd/partnerguard

# It has CA certificates, time zones and a user without rights, 65532, and nothing else.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/partnerguard /usr/bin/partnerguard
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV PARTNERGUARD_DATA=/data \
    PARTNERGUARD_MASTER_KEY=file:/data/master.key
VOLUME /data
EXPOSE 8443
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 CMD ["/usr/bin/partnerguard", "serve", "health"]
ENTRYPOINT ["/usr/bin/partnerguard"]
CMD ["serve"]
