"""VAT (moms) by rule; source: Skatteverket 2025-12-16 and ML 10 kap. 35–36 §§, see docs/algorithms/pricing.md."""

from dataclasses import dataclass

from booking.billing.tariff_data import VatRule


@dataclass(frozen=True, slots=True)
class Vat:
    """How one VAT rule is taxed and worded on an invoice."""

    percent: int
    category: str  # UNCL5305: E exempt, S standard, O outside
    sv: str
    en: str


RULES: dict[VatRule, Vat] = {
    "exempt_sport": Vat(0, "E", "Momsfri idrottslokal (10 kap. 36 § ML)", "VAT exempt: sports premises"),
    "exempt_premises": Vat(0, "E", "Momsfri lokalupplåtelse (10 kap. 35 § ML)", "VAT exempt: letting"),
    "vat_6": Vat(6, "S", "6 % moms", "6% VAT"),
    "vat_12": Vat(12, "S", "12 % moms", "12% VAT"),
    "vat_25": Vat(25, "S", "25 % moms", "25% VAT"),
    "outside": Vat(0, "O", "Utanför momsens område", "Outside the scope of VAT"),
}
