# One image for both programs, `api` and `expiry-worker`. Works with BuildKit and with the builder before it.
#   docker build --tag rowlock .

FROM rust:1.95-bookworm AS builder
WORKDIR /rowlock

# The dependencies, in a layer that lasts until a manifest or the lock changes: the real manifests over empty sources.
COPY Cargo.toml Cargo.lock ./
COPY crates/api/Cargo.toml crates/api/
COPY crates/box-office/Cargo.toml crates/box-office/
COPY crates/corpus/Cargo.toml crates/corpus/
COPY crates/domain/Cargo.toml crates/domain/
COPY crates/expiry-worker/Cargo.toml crates/expiry-worker/
COPY crates/loadgen/Cargo.toml crates/loadgen/
COPY crates/postgres-adapter/Cargo.toml crates/postgres-adapter/
COPY crates/settings/Cargo.toml crates/settings/
COPY crates/sqlite-adapter/Cargo.toml crates/sqlite-adapter/
COPY crates/store-contract/Cargo.toml crates/store-contract/
COPY crates/telemetry/Cargo.toml crates/telemetry/
COPY crates/throwaway-postgres/Cargo.toml crates/throwaway-postgres/
RUN set -e; \
    for crate in crates/*; do mkdir "$crate/src"; touch "$crate/src/lib.rs"; done; \
    for program in api expiry-worker; do echo 'fn main() {}' > "crates/$program/src/main.rs"; done; \
    cargo build --locked --release --package api --package expiry-worker; \
    rm -rf crates/*/src

# The sources. Cargo compares times, and a source may be older than the empty one that was built above.
COPY migrations migrations
COPY crates crates
RUN find crates migrations -type f -exec touch {} + \
    && cargo build --locked --release --package api --package expiry-worker

FROM debian:bookworm-slim
# For a PostgreSQL that is reached over TLS.
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=builder /rowlock/target/release/api /rowlock/target/release/expiry-worker /usr/local/bin/
# Without DATABASE_URL, SQLite's file lies in ./data, so below this folder: mount a volume there.
RUN useradd --system --uid 10001 --home-dir /var/lib/rowlock --create-home rowlock \
    && install --directory --owner rowlock --mode 0750 /var/lib/rowlock/data
WORKDIR /var/lib/rowlock
USER rowlock
EXPOSE 4000
CMD ["api"]
