"""Node.js: mysql2 and MariaDB's own driver do everything through the gateway."""

import pytest

from support import drivers
from support.legs import ENCRYPTED, NAMES

if reason := drivers.missing("node", "mysql2 and mariadb for Node.js"):
    pytest.skip(reason, allow_module_level=True)

# Kept here as well as in tests/drivers/node/scenarios.js: a scenario that does not run is noticed.
SCENARIOS = [
    "the thread id and the version are the server's own",
    "prepared statements run many times",
    "a transaction is rolled back, another committed",
    "a blob of 64 MB goes both ways",
    "LOAD DATA LOCAL sends a file",
    "a compressed session carries large results",
    "COM_CHANGE_USER becomes another account",
    "KILL QUERY from another session ends a statement",
    "several result sets answer several statements",
    "an error of the server arrives with its code and state",
]


@pytest.fixture(scope="module", params=["mysql2", "mariadb"])
def driver(request):
    return request.param


@pytest.fixture(scope="module", params=NAMES)
def results(request, driver, legs):
    """What every scenario said, over one way to the backend."""
    return drivers.run_node(driver, legs.address(request.param), "native", legs.authority)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_driver_works_as_without_a_gateway(results, scenario):
    assert set(results) == set(SCENARIOS)
    assert results[scenario] is None, results[scenario]


@pytest.mark.parametrize("user, password", [("empty", ""), ("tls_only", None)])
@pytest.mark.parametrize("leg", ENCRYPTED)
def test_every_kind_of_account_logs_in(driver, legs, leg, user, password):
    options = {} if password is None else {"password": password}
    results = drivers.run_node(driver, legs.address(leg), user, legs.authority, account_only=True,
                               **options)
    assert results == {"the account logs in": None}


@pytest.mark.parametrize("leg", NAMES)
def test_an_ed25519_account_logs_in_with_mariadbs_own_driver(legs, leg):
    # mysql2 does not have this plugin.
    results = drivers.run_node("mariadb", legs.address(leg), "ed", legs.authority,
                               account_only=True)
    assert results == {"the account logs in": None}
