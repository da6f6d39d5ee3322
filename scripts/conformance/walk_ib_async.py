"""Walks through everything a trading client does with the simulator, as the public client ib_async does it.

    python walk_ib_async.py HOST PORT ACCOUNT

The account must be fresh: cash and no positions, in a session with some minutes left, its clock at real speed.
Prints one line for each item, and ends with 1 when any of them did not hold.
"""

import datetime
import logging
import re
import sys
import time
import traceback

from ib_async import IB, ExecutionFilter, LimitOrder, MarketOrder, Stock

HOST, PORT, ACCOUNT = sys.argv[1], int(sys.argv[2]), sys.argv[3]
CLIENT, OTHER = 101, 102

failed: list[str] = []
notices: list[tuple[int, int, str]] = []
said: list[str] = []


class Said(logging.Handler):
    def emit(self, record):
        if record.levelno >= logging.ERROR:
            said.append(record.getMessage())


logging.getLogger("ib_async").addHandler(Said())
logging.getLogger("ib_async").propagate = False


def holds(what, true, seen=None):
    if not true:
        failed.append(f"{item.__name__.replace('_', ' ')}: {what}; saw {seen!r}")


def about(what, seen, wanted, by=0.0051):
    holds(f"{what} should be about {wanted}", abs(seen - wanted) <= by, seen)


def connected(client_id):
    ib = IB()
    ib.errorEvent += lambda request, code, text, contract: notices.append((request, code, text))
    ib.connect(HOST, PORT, clientId=client_id, timeout=12)
    return ib


def until(true, seconds=15):
    end = time.time() + seconds
    while time.time() < end:
        if true():
            return True
        ib.sleep(0.05)
    return False


def figures():
    """The summary as it is now: a client's own subscription is told of changes only every three minutes."""
    fresh = connected(CLIENT + 50)
    values = {row.tag: row for row in fresh.accountSummary(ACCOUNT)}
    fresh.disconnect()
    return values


def cash():
    return float(figures()["SettledCash"].value)


def order(kind, *given, **more):
    return kind(*given, tif="DAY", account=ACCOUNT, **more)


def done(trade):
    return trade.isDone() and trade.fills and trade.fills[0].commissionReport.execId


def history(trade):
    return [entry.status for entry in trade.log]


def connects():
    global ib
    began = time.time()
    ib = connected(CLIENT)
    holds("every request at the start is answered", time.time() - began < 8, time.time() - began)
    holds("the account is managed", ib.managedAccounts() == [ACCOUNT], ib.managedAccounts())
    holds("the farms are announced", until(lambda: {2104, 2106, 2158} <= {n[1] for n in notices}, 3), notices)
    holds("the time has a zone", ib.reqCurrentTime().tzinfo is not None)


def summary():
    rows = figures()
    for tag in ("NetLiquidation", "SettledCash", "TotalCashValue", "AvailableFunds"):
        holds(f"{tag} is in dollars with cents", re.fullmatch(r"\d+\.\d\d", rows[tag].value), rows[tag])
        holds(f"{tag} has a currency", rows[tag].currency == "USD", rows[tag])
    holds("AccountType has none", rows["AccountType"].currency == "", rows["AccountType"])
    holds("a fresh account is worth its cash", rows["NetLiquidation"].value == rows["SettledCash"].value, rows)


def positions():
    holds("there are none", ib.reqPositions() == [], ib.positions())


def contract_details():
    global spy
    spy = Stock("SPY", "SMART", "USD")
    found = ib.reqContractDetails(spy)
    holds("one contract fits", len(found) == 1, found)
    details = found[0]
    ib.qualifyContracts(spy)
    holds("it can be asked for by its id", ib.reqContractDetails(Stock(conId=spy.conId, exchange="SMART")) == found)
    holds("the tick is a cent", details.minTick == 0.01, details.minTick)
    holds("sizes go down to a ten-thousandth", float(details.sizeIncrement) == 0.0001, details.sizeIncrement)
    holds("sessions can be read", details.liquidSessions()[0].start.tzinfo is not None, details.liquidHours)


def a_year_of_bars():
    by_kind = {}
    for kind in ("ADJUSTED_LAST", "TRADES"):
        bars = ib.reqHistoricalData(spy, "", "1 Y", "1 day", kind, True, timeout=15)
        by_kind[kind] = bars
        holds(f"{kind}: a year", 249 <= len(bars) <= 254, len(bars))
        dates = [bar.date for bar in bars]
        holds(f"{kind}: dates rise", dates == sorted(set(dates)))
        wrong = [b for b in bars if not 0 < b.low <= min(b.open, b.close) <= max(b.open, b.close) <= b.high]
        holds(f"{kind}: prices lie between low and high", wrong == [], wrong[:1])
    days = [[bar.date for bar in bars] for bars in by_kind.values()]
    holds("both kinds have the same sessions", days[0] == days[1])
    about("the last bar needs no adjustment", by_kind["ADJUSTED_LAST"][-1].close, by_kind["TRADES"][-1].close)
    hours = ib.reqHistoricalData(spy, "", "5 D", "1 hour", "TRADES", True, timeout=10)
    holds("hours have a zone", 25 <= len(hours) <= 42 and hours[0].date.tzinfo is not None, hours[:1])
    before = len(notices)
    ib.reqHistoricalData(spy, "20240105 16:00:00 US/Eastern", "1 M", "1 day", "ADJUSTED_LAST", True, timeout=3)
    holds("an end with ADJUSTED_LAST is refused with 321", 321 in [n[1] for n in notices[before:]], notices[before:])
    bars = ib.reqHistoricalData(spy, "20240105 16:00:00 US/Eastern", "1 M", "1 day", "TRADES", True, timeout=8)
    holds("TRADES end where asked", bars and bars[-1].date == datetime.date(2024, 1, 5), bars[-1:])


def snapshot():
    global quote
    [quote] = ib.reqTickers(spy)
    holds("live quotes come", quote.marketDataType == 1, quote.marketDataType)
    holds("bid below ask, last within the day", 0 < quote.bid < quote.ask and quote.low <= quote.last <= quote.high, quote)


def market_order():
    global bought
    before = cash()
    bought = ib.placeOrder(spy, order(MarketOrder, "BUY", 10, orderRef="walk-mkt"))
    holds("it fills and costs a commission", until(lambda: done(bought)), history(bought))
    holds("it goes from PreSubmitted to Filled", ["PreSubmitted", "Filled"] == [s for s in history(bought)[1:] if s][:1] + history(bought)[-1:], history(bought))
    [fill] = bought.fills
    execution, fee = fill.execution, fill.commissionReport.commission
    holds(
        "the execution names side, size, account, reference, client and permId",
        (execution.side, execution.shares, execution.acctNumber, execution.orderRef, execution.clientId, execution.permId)
        == ("BOT", 10, ACCOUNT, "walk-mkt", CLIENT, bought.order.permId),
        execution,
    )
    holds("the commission is that of a small order", 0.34 <= fee <= 1.01, fee)
    ib.sleep(0.5)
    about("settled cash pays price and commission", cash(), before - 10 * execution.price - fee, 0.011)
    [held] = ib.reqPositions()
    holds("ten shares are held", (held.contract.symbol, held.position) == ("SPY", 10), held)
    about("their cost includes the commission", held.avgCost, (10 * execution.price + fee) / 10)


def limit_order():
    limit = round(quote.ask * 1.02, 2)
    trade = ib.placeOrder(spy, order(LimitOrder, "BUY", 3, limit, orderRef="walk-lmt"))
    holds("it fills", until(lambda: done(trade)), history(trade))
    holds("at its limit or better", all(fill.execution.price <= limit for fill in trade.fills), trade.fills)


def resting_order():
    global resting
    resting = ib.placeOrder(spy, order(LimitOrder, "BUY", 2, round(quote.bid * 0.9, 2), orderRef="walk-rest"))
    holds("it waits", until(lambda: resting.orderStatus.status == "Submitted"), history(resting))


def second_client():
    other = connected(OTHER)
    seen = [trade for trade in other.reqAllOpenOrders() if trade.order.permId == resting.order.permId]
    holds("sees the open order", [(t.order.clientId, t.order.orderRef) for t in seen] == [(CLIENT, "walk-rest")], seen)
    executions = [fill.execution.execId for fill in other.reqExecutions()]
    holds("sees the executions", bought.fills[0].execution.execId in executions, executions)
    holds("can ask for those of a symbol", other.reqExecutions(ExecutionFilter(symbol="TLT")) == [])
    other.disconnect()


def taken_client_id():
    before = len(notices)
    try:
        connected(CLIENT).disconnect()
        holds("it is refused", False)
    except (ConnectionError, TimeoutError):
        pass
    holds("with 326", 326 in [n[1] for n in notices[before:]], notices[before:])
    holds("the first client stays", ib.reqCurrentTime() is not None)


def reconnection():
    global ib, resting
    perm_id, exec_id = resting.order.permId, bought.fills[0].execution.execId
    ib.disconnect()
    time.sleep(0.3)
    ib = connected(CLIENT)
    found = [trade for trade in ib.openTrades() if trade.order.permId == perm_id]
    holds("the order is there with its permId", len(found) == 1, ib.openTrades())
    resting = found[0]
    fills = [fill for fill in ib.fills() if fill.execution.execId == exec_id]
    holds("the execution is there with its commission", fills and fills[0].commissionReport.commission > 0, ib.fills())


def cancellation():
    before = len(notices)
    ib.cancelOrder(resting.order)
    holds("it ends", until(lambda: resting.orderStatus.status == "Cancelled"), history(resting))
    holds("with 202", until(lambda: 202 in [n[1] for n in notices[before:]], 3), notices[before:])


def completed_orders():
    by_reference = {trade.order.orderRef: trade for trade in ib.reqCompletedOrders(False)}
    for reference, status in (("walk-mkt", "Filled"), ("walk-rest", "Cancelled")):
        trade = by_reference.get(reference)
        holds(f"{reference} is {status}", trade and trade.orderStatus.status == status, by_reference)
    holds("what was filled is told", by_reference["walk-mkt"].order.filledQuantity == 10, by_reference["walk-mkt"].order)


def refusals():
    before = len(notices)
    ib.reqContractDetails(Stock("NOSUCHXX", "SMART", "USD"))
    holds("an unknown symbol: 200", 200 in [n[1] for n in notices[before:]], notices[before:])
    for code, wanted in (
        (10243, order(MarketOrder, "BUY", 1.5)),
        (201, order(MarketOrder, "BUY", 1_000_000)),
        (110, order(LimitOrder, "BUY", 1, 100.12345)),
    ):
        before = len(notices)
        trade = ib.placeOrder(spy, wanted)
        holds(f"{wanted.totalQuantity}: {code}", until(lambda: code in [n[1] for n in notices[before:]], 8), notices[before:])
        ib.sleep(0.3)
        holds(f"{code} fills nothing", trade.fills == [] and not trade.isActive(), history(trade))


def what_if():
    state = ib.whatIfOrder(spy, order(MarketOrder, "BUY", 1))
    holds("margins are told", state and float(state.initMarginAfter) > 0, state)
    holds("no order exists", [t for t in ib.reqAllOpenOrders() if t.order.whatIf] == [])


def sale():
    [held] = ib.reqPositions()
    trade = ib.placeOrder(spy, order(MarketOrder, "SELL", 4, orderRef="walk-sell"))
    holds("it fills", until(lambda: done(trade)), history(trade))
    [fill] = trade.fills
    report = fill.commissionReport
    first = bought.fills[0]
    cost = first.execution.price + first.commissionReport.commission / 10
    about("the profit is that of the first shares", report.realizedPNL, 4 * (fill.execution.price - cost) - report.commission, 0.02)
    [left] = ib.reqPositions()
    about("the rest costs what is left", left.position * left.avgCost, held.position * held.avgCost - 4 * cost, 0.02)


def own_log():
    expected = re.compile(r"Error (110|161|200|201|202|321|326|366|10243)|API connection failed|Peer closed|Not connected")
    odd = [text for text in said if not expected.search(text)]
    holds("the client met nothing it could not read", odd == [], odd)
    ib.disconnect()


items = [
    connects,
    summary,
    positions,
    contract_details,
    a_year_of_bars,
    snapshot,
    market_order,
    limit_order,
    resting_order,
    second_client,
    taken_client_id,
    reconnection,
    cancellation,
    completed_orders,
    refusals,
    what_if,
    sale,
    own_log,
]
for item in items:
    before = len(failed)
    try:
        item()
    except Exception:
        failed.append(f"{item.__name__.replace('_', ' ')}: {traceback.format_exc(limit=-2)}")
    print(f"{'ok  ' if len(failed) == before else 'FAIL'} {item.__name__.replace('_', ' ')}", flush=True)
for text in failed:
    print(text)
print(f"{len(items)} items, {len(failed)} things that did not hold")
sys.exit(1 if failed else 0)
