# The Debian 12 packages that building, showing and testing Gatehouse take, and how to install
# those that are missing. Sourced by gateway/demo, tests/run and bench/run; does nothing by itself.
# shellcheck shell=bash disable=SC2034

build_packages=(
  build-essential ccache cmake ninja-build pkg-config
  catch2 libboost1.81-dev libboost-json1.81-dev libcli11-dev libdeflate-dev libfmt-dev liblz4-dev
  libsnappy-dev libssl-dev libsystemd-dev libyaml-cpp-dev
)

# The parts of MariaDB without the packages that would set up and start a service.
demo_packages=(mariadb-client-core mariadb-server-core openssl)

# mariadb-server for its authentication plug-ins, mariadb-client for mariadb-dump, mariadb-test and
# its data for MariaDB's own test suites, sysbench for load, libfaketime for a clock that jumps; then
# what runs, or compiles, the clients of each language.
test_packages=(
  clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev
  git iproute2 libfaketime mariadb-client mariadb-server mariadb-test mariadb-test-data openssl
  python3 python3-jsonschema python3-pytest python3-ruamel.yaml python3-venv python3-yaml sysbench
  default-jdk-headless libmariadb-dev maven php-cli php-mysql python3-dev
)
# What bench/run measures the gateway beside, and pins processes with.
bench_packages=(haproxy hitch libnginx-mod-stream mariadb-server nginx python3 stunnel4 util-linux)
# What takes minutes to compile with, or to run, for `tests/run --full` only.
full_test_packages=(testssl.sh "${bench_packages[@]}")

# A toolchain from elsewhere is as good, and Debian's Node.js would conflict with another.
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  test_packages+=(nodejs npm)
fi
command -v go >/dev/null || test_packages+=(golang-go)
command -v cargo >/dev/null || full_test_packages+=(cargo-web)

# Prints those of the packages named that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      echo "$package"
  done
}

# Installs what is missing of the packages named; fails with the reason and a remedy. Nothing is
# asked of the network where nothing is missing.
install_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "error: this is not Debian; install what gateway/packages.sh lists by hand" >&2
    return 1
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} > 0)) || return 0

  local as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      printf 'error: packages are missing and only root can install them\n' >&2
      printf '  hint: as root: apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}"
  # RUNLEVEL=1 keeps the packages from starting services: a MariaDB of Debian's own would take the
  # port that the gateway is to listen on.
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
             apt-get --quiet=2 -o Acquire::Retries=2 -o Dpkg::Use-Pty=0)
  if ! "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
    # Most often the package lists are absent or old.
    "${apt[@]}" update || true
    if ! "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null; then
      printf 'error: could not install: %s\n' "${missing[*]}" >&2
      printf '  hint: the packages come from Debian 12; is the network, or a mirror of it, within reach?\n' >&2
      return 1
    fi
  fi
}

# How many compilers may run at once: one a processor, but a unit that includes Asio takes 700 MB.
compile_jobs() {
  local by_memory processors
  by_memory=$(awk '/^MemAvailable:/ {print int($2 / 800000)}' /proc/meminfo)
  processors=$(nproc)
  ((by_memory < processors)) || by_memory=$processors
  echo $((by_memory > 1 ? by_memory : 1))
}
