"""The facts a support desk has on file: how each is drawn, missed narrowly, filed, asked for and told."""

from __future__ import annotations

import random
from dataclasses import dataclass

from assay.simulate.random_values import (
    DAYS,
    MONTHS,
    WINDOWS,
    Draw,
    NearMiss,
    amount,
    date,
    digits,
    near_amount,
    near_date,
    near_digits,
    other,
    pool,
)

PLANS = ("Basic", "Plus", "Pro", "Family", "Team", "Starter")
TOWNS = ("Harwick", "Millbrook", "Ashford Bay", "Northgate", "Linden", "Stonebridge", "Fairview", "Oakdale",
         "Westerham", "Brookfield")  # fmt: skip
FIRST = ("Dana", "Priya", "Marcus", "Elena", "Tom", "Aisha", "Jonas", "Mei", "Carlos", "Ruth", "Omar", "Nina", "Felix",
         "Grace", "Ivan", "Laura", "Samuel", "Zoe", "Peter", "Yara", "Hugo", "Clara", "Ben", "Leila", "Oscar", "Maria",
         "Kofi", "Anna", "Diego", "Holly")  # fmt: skip
LAST = ("Whitlock", "Nair", "Bell", "Rossi", "Carter", "Khan", "Lind", "Tanaka", "Vega", "Adler", "Haddad", "Novak",
        "Moreau", "Okafor", "Petrov", "Silva", "Reed", "Walsh", "Kim", "Stone", "Berg", "Lopez", "Frost", "Amari",
        "Doyle", "Santos", "Mensah", "Keller", "Ortiz", "Byrne")  # fmt: skip
CARRIERS = ("Northline", "Postbird", "Quickvan", "Redkite", "Parcelway")
COLOURS = ("navy", "black", "white", "olive", "grey", "red", "teal", "sand")
PLACES = ("Mill Lane", "Harbour Street", "Station Road", "Market Square", "Park Avenue", "King Street")
# One and many of what the shop sells.
THINGS = {
    "backpack": "backpacks", "tent": "tents", "desk chair": "desk chairs", "rain jacket": "rain jackets",
    "rug": "rugs", "bookshelf": "bookshelves", "yoga mat": "yoga mats", "suitcase": "suitcases",
    "picnic set": "picnic sets", "mattress": "mattresses", "mirror": "mirrors", "sleeping bag": "sleeping bags",
    "frying pan": "frying pans", "bike helmet": "bike helmets", "wool blanket": "wool blankets",
}  # fmt: skip
SMART = {
    "headset": "headsets", "keyboard": "keyboards", "speaker": "speakers", "monitor": "monitors", "router": "routers",
    "doorbell camera": "doorbell cameras", "thermostat": "thermostats", "printer": "printers",
    "smart watch": "smart watches", "baby monitor": "baby monitors",
}  # fmt: skip
KITCHEN = {
    "kettle": "kettles", "blender": "blenders", "toaster": "toasters", "coffee grinder": "coffee grinders",
    "air fryer": "air fryers", "rice cooker": "rice cookers",
}  # fmt: skip
PLAIN = {"lamp": "lamps", "vacuum": "vacuums", "drill": "drills", "hair dryer": "hair dryers", "heater": "heaters",
         "fan": "fans"}  # fmt: skip
DEVICES = SMART | KITCHEN | PLAIN
ITEMS = THINGS | DEVICES


@dataclass(frozen=True, slots=True, kw_only=True)
class FactKind:
    """One kind of fact. filed: notes on the account or policy; asks: questions; says: clauses of an answer."""

    name: str
    form: str  # facts of one form can be mistaken for each other
    noun: str
    draw: Draw
    near: NearMiss
    filed: tuple[str, ...]
    asks: tuple[str, ...]
    says: tuple[str, ...]
    policy: str | None = None  # set where the fact stands in the policy and not on the account


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A kind with the value that is true in this case."""

    kind: FactKind
    value: str

    def note(self, rng: random.Random) -> str:
        return rng.choice(self.kind.filed).format(v=self.value)

    def said(self, rng: random.Random, value: str) -> str:
        return rng.choice(self.kind.says).format(v=value)


def _kind(name: str, form: str, noun: str, draw: tuple[Draw, NearMiss], **words: str) -> FactKind:
    lists = {key: tuple(text.split(" | ")) for key, text in words.items() if key != "policy"}
    return FactKind(name=name, form=form, noun=noun, draw=draw[0], near=draw[1], policy=words.get("policy"), **lists)


_DATE = (date, near_date)
_SPAN = pool("2-3 working days", "3-5 working days", "5-7 working days", "7-10 working days", "2 weeks")
_VISIT = (
    lambda rng: f"{rng.choice(DAYS)} {rng.choice(WINDOWS)}",
    lambda rng, value: (
        f"{other(rng, DAYS, value.split()[0])} {value.split()[1]}"
        if rng.random() < 0.5
        else f"{value.split()[0]} {other(rng, WINDOWS, value.split()[1])}"
    ),
)
_WARRANTY = (
    lambda rng: f"{rng.choice(MONTHS)} {rng.randint(2026, 2029)}",
    lambda rng, value: (
        f"{other(rng, MONTHS, value.split()[0])} {value.split()[1]}"
        if rng.random() < 0.5
        else f"{value.split()[0]} {other(rng, ('2026', '2027', '2028', '2029'), value.split()[1])}"
    ),
)


def _money(low: int, high: int) -> tuple[Draw, NearMiss]:
    return amount(low, high), near_amount


def _number(length: int) -> tuple[Draw, NearMiss]:
    return digits(length), near_digits


ACCOUNT = (
    _kind("renewal", "date", "a renewal date", _DATE, filed="plan renews {v} | next renewal {v}",
          asks="when does my plan renew | what date is my next renewal | when will the plan renew",
          says="your plan renews on {v} | the next renewal is on {v} | your renewal date is {v}"),
    _kind("card", "digits", "a card", _number(4), filed="card ending {v} | pays with card {v}",
          asks="which card do you charge | what card is on file | which card am I paying with",
          says="we charge the card ending in {v} | the card on file ends in {v} | you pay with the card ending {v}"),
    _kind("due", "date", "a delivery date", _DATE, filed="delivery due {v} | parcel due {v}",
          asks="when will my parcel get here | when is my delivery due | what day does the parcel come",
          says="your parcel is due on {v} | delivery is set for {v} | it should reach you on {v}"),
    _kind("carrier", "carrier", "a courier", pool(*CARRIERS),
          filed="sent with {v} | courier {v}",
          asks="who is delivering it | which courier has my parcel | what courier do you use for it",
          says="{v} is delivering it | your parcel is with {v} | it is on its way with {v}"),
    _kind("total", "money", "an order total", _money(21, 399), filed="order total {v} | paid {v}",
          asks="how much did I pay in total | what was the order total | what did the order come to",
          says="you paid {v} in total | the order came to {v} | the order total was {v}"),
    _kind("order", "digits5", "an order number", _number(5), filed="order {v} | order no. {v}",
          asks="what is my order number | can you give me the order number",
          says="your order number is {v} | the order number is {v} | it is order {v}"),
    _kind("credit", "money", "any store credit", _money(5, 95), filed="store credit {v} | {v} store credit",
          asks="how much store credit do I have | what is left of my store credit",
          says="you have {v} in store credit | your store credit stands at {v} | there is {v} of store credit left"),
    _kind("returns left", "count", "any free returns", pool("2", "3", "4", "5", "6", "8", "10"),
          filed="{v} free returns left | free returns left: {v}",
          asks="how many free returns do I have | how many free returns are left",
          says="you have {v} free returns | there are {v} free returns left | your account has {v} free returns left"),
    _kind("call-back", "visit", "a call-back", _VISIT, filed="call-back {v} | call-back booked {v}",
          asks="when will you call me back | what time is my call-back",
          says="we will call you on {v} | your call-back is on {v} | we have you down for {v}"),
    _kind("warranty", "month", "a warranty date", _WARRANTY, filed="warranty to {v} | under warranty to {v}",
          asks="when does my warranty run out | how long is it under warranty",
          says="the warranty runs to {v} | you are covered until {v} | your warranty ends in {v}"),
    _kind("colour", "colour", "a colour", pool(*COLOURS),
          filed="colour {v} | colour: {v}",
          asks="which colour did I order | what colour is on the order",
          says="you ordered it in {v} | the colour on the order is {v} | it is the {v} one"),
    _kind("pickup", "place", "a pick-up point",
          pool(*PLACES), filed="pick-up at {v} | pick-up point {v}",
          asks="where do I pick it up | which pick-up point is it at",
          says="you can pick it up at {v} | it is waiting at {v} | your pick-up point is {v}"),
    _kind("town", "town", "an address", pool(*TOWNS), filed="ships to {v} | address in {v}",
          asks="which address is it going to | where are you sending it",
          says="it is going to your {v} address | we are sending it to {v} | it ships to {v}"),
    _kind("quantity", "count", "a quantity", pool("2", "3", "4", "5", "6", "8", "12"),
          filed="quantity {v} | {v} ordered",
          asks="how many did I order | how many are on the order",
          says="you ordered {v} of them | the order is for {v} | there are {v} on the order"),
    _kind("points", "digits3", "any points", _number(3), filed="{v} points | points: {v}",
          asks="how many points do I have | what is my points balance",
          says="you have {v} points | your balance is {v} points | you have collected {v} points"),
    _kind("ticket", "digits3", "a repair ticket", _number(3), filed="repair ticket {v} | repair no. {v}",
          asks="what is my repair number | which ticket is my repair under",
          says="your repair ticket is {v} | the repair number is {v}"),
    _kind("deposit", "money", "a deposit", _money(10, 90), filed="deposit {v} | {v} deposit paid",
          asks="how much deposit did I pay | what was my deposit",
          says="your deposit was {v} | you paid a deposit of {v}"),
    _kind("discount", "percent", "a discount", pool("5%", "8%", "10%", "12%", "15%", "20%", "25%"),
          filed="member discount {v} | {v} member discount",
          asks="what is my member discount | how much discount do I get",
          says="your member discount is {v} | you get {v} off as a member"),
)  # fmt: skip

POLICY = (
    _kind("repair time", "span", "a repair time", _SPAN, filed="{v}", policy="Repairs: {v}",
          asks="how long do repairs take | how long will a repair take",
          says="repairs take {v} | a repair takes {v}"),
    _kind("refund time", "span", "a refund time", _SPAN, filed="{v}", policy="Refunds reach the card in {v}",
          asks="how long do refunds take | when would I see a refund on my card",
          says="refunds reach the card in {v} | a refund takes {v}"),
    _kind("hours", "hours", "phone hours", pool("8am-6pm", "9am-5pm", "7am-7pm", "10am-4pm", "9am-8pm"),
          filed="{v}", policy="Phone line: {v}",
          asks="when can I call you | what hours is the phone line open",
          says="the phone line is open {v} | you can call us {v}"),
    _kind("postage", "money", "a postage cost", _money(3, 19), filed="{v}", policy="Return postage: {v}",
          asks="what does return postage cost | how much is it to post something back",
          says="return postage costs {v} | posting it back costs {v}"),
    _kind("exchange", "days", "an exchange period",
          pool("14 days", "21 days", "30 days", "45 days", "60 days", "90 days"), filed="{v}",
          policy="Exchanges: within {v}",
          asks="how long do I have to exchange it | until when can I exchange something",
          says="you have {v} to exchange it | exchanges are open for {v}"),
    _kind("gift wrap", "money", "a price for gift wrapping", _money(3, 19), filed="{v}", policy="Gift wrapping: {v}",
          asks="how much is gift wrapping | what do you charge for gift wrapping",
          says="gift wrapping costs {v} | we charge {v} for gift wrapping"),
    _kind("late fee", "money", "a late fee", _money(4, 30), filed="{v}", policy="Late payment fee: {v}",
          asks="what is the fee if I pay late | how much is the late fee",
          says="the late payment fee is {v} | paying late costs {v}"),
    _kind("express", "money", "a price for express", _money(5, 29), filed="{v}", policy="Express delivery: {v}",
          asks="what does express delivery cost | how much is express",
          says="express delivery costs {v} | express is {v} | we deliver express for {v}"),
)  # fmt: skip

ALL = ACCOUNT + POLICY


def draw_facts(rng: random.Random, *, account: int, policy: int) -> list[Fact]:
    """So many account facts and policy facts of different kinds."""
    kinds = rng.sample(ACCOUNT, account) + rng.sample(POLICY, policy)
    return [Fact(kind=kind, value=kind.draw(rng)) for kind in kinds]


def wrong_value(rng: random.Random, fact: Fact, present: list[Fact]) -> str:
    """A value that is not the fact's: another fact's in the same case, a narrow miss, or a fresh one."""
    swaps = [p.value for p in present if p.kind.form == fact.kind.form and p.value != fact.value]
    if swaps and rng.random() < 0.6:
        return rng.choice(swaps)
    if rng.random() < 0.55:
        return fact.kind.near(rng, fact.value)
    for _ in range(20):
        value = fact.kind.draw(rng)
        if value != fact.value:
            return value
    return fact.kind.near(rng, fact.value)
