import { type ComplianceRules, type SettlementCalendar, usSettlement, usualRules } from "@pf/compliance";
import { commissionOf, complianceRulesOf, type LoadedConfig, orderRulesOf } from "@pf/config";
import type { TradingCalendar } from "@pf/market";
import { commissionPlan, type OrderRules } from "@pf/orders";

/** What plans are made and reviewed by. */
export interface TradingRules {
  /** All but the step of quantities, which whoever knows what the broker takes adds. */
  readonly orders: Omit<OrderRules, "quantityStep">;
  readonly compliance: ComplianceRules;
  readonly calendar: SettlementCalendar;
}

/** The rules of a configuration, the same for the account engine, live trading and its replay. */
export function tradingRulesOf({ config }: LoadedConfig, calendar: TradingCalendar): TradingRules {
  const { name, perShare } = commissionOf(config);
  const commission = commissionPlan(name, perShare);
  return {
    orders: { ...orderRulesOf(config), commission },
    compliance: { ...usualRules, ...complianceRulesOf(config), commission },
    calendar: { ...usSettlement, trading: calendar },
  };
}
