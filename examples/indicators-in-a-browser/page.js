import { ema, simpleReturns, stdev } from "@pf/indicators";

const [closes, answer] = ["closes", "answer"].map((id) => document.getElementById(id));

function show() {
  const close = Float64Array.from(closes.value.trim().split(/\s+/), Number);
  const average = ema(close, 3).at(-1);
  const volatility = stdev(simpleReturns(close), 4).at(-1);
  answer.textContent = `EMA3 ${average.toFixed(3)}, volatility of 4 returns ${(100 * volatility).toFixed(2)} %`;
}

closes.addEventListener("input", show);
show();
