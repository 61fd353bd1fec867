"""The people of the demo world: who they are, whom they know, who advises them."""

from datetime import date
from uuid import UUID

from accounts import actions, agreements
from kernel.ids import new_id
from rongliao import demo

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_HANGZHOU, _NINGBO, _SHANGHAI, _SUZHOU = "330106", "330203", "310104", "320508"
BRANCH = "城西支行"

# Short name: shown name, registered name, kind, phone, region, born, sex and order at the registry.
CUSTOMERS = {
    "su": ("苏禾", "苏禾", "customer", "13800000001", _HANGZHOU, date(1992, 5, 17), 26),
    "lin": ("林晓舟", "林晓舟", "customer", "13800000002", _NINGBO, date(1991, 11, 2), 13),
    "tao": ("陶然", "陶然", "visitor", "13800000003", _SUZHOU, date(1993, 3, 28), 31),
    "shen": ("沈玉", "沈玉", "customer", "13800000004", _HANGZHOU, date(1965, 8, 9), 44),
    "xu": ("许知远", "许知远", "customer", "13800000005", _SHANGHAI, date(1984, 1, 20), 57),
    "jiang": ("江一帆", "江一帆", "visitor", "13800000006", _SHANGHAI, date(1996, 7, 12), 15),
    "he": ("何田", "何田", "customer", "13800000007", _HANGZHOU, date(1988, 12, 24), 68),
    "bai": ("白鹭", "白鹭", "customer", "13800000008", _SUZHOU, date(1995, 9, 5), 82),
}
STAFF = {
    "zhou": ("周经理", "13900000001", ["advisor"], BRANCH),
    "song": ("客服小远", "13900000002", ["agent"], ""),
    "fang": ("方敏", "13900000003", ["operator", "official_operator", "product"], ""),
    "qin": ("秦川", "13900000004", ["checker"], ""),
    "liang": ("梁序", "13900000005", ["compliance"], ""),
}
FRIENDS = [
    ("su", "lin"),
    ("su", "tao"),
    ("su", "shen"),
    ("lin", "tao"),
    ("lin", "jiang"),
    ("su", "jiang"),
    ("xu", "he"),
]
# Colours that tell people in one list apart.
HUES = {
    "su": 1,
    "lin": 2,
    "tao": 5,
    "shen": 6,
    "xu": 4,
    "jiang": 7,
    "he": 3,
    "bai": 6,
    "zhou": 0,
    "song": 1,
    "fang": 5,
    "qin": 4,
    "liang": 3,
}
ADVISED = ("su", "xu", "jiang", "he", "bai")
JIANG_CARD = "621700123456789012"  # and its check digit


def id_number(region: str, born: date, order: int) -> str:
    """A number as GB 11643 makes them, for somebody who does not exist."""
    head = f"{region}{born:%Y%m%d}{order:03d}"
    return head + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(head, _WEIGHTS, strict=True)) % 11]


def card_number(head: str) -> str:
    """The digits with their Luhn check digit."""
    doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(head)))
    total = sum(sum(divmod(number, 10)) for number in doubled)
    return head + str(-total % 10)


def _people(world: demo.World) -> None:
    for short, (shown, name, kind, phone, region, born, order) in CUSTOMERS.items():
        person = actions.create_customer(
            display_name=shown,
            phone=phone,
            name=name,
            id_number=id_number(region, born, order),
            kind=kind,
            hue=HUES[short],
        )
        world.people[short] = person.pk
        agreements.consent(person.pk)
    for short, (shown, phone, roles, branch) in STAFF.items():
        staff = actions.create_staff(
            name=shown, phone=phone, password=None, roles=roles, branch=branch, hue=HUES[short]
        )
        world.people[short] = staff.pk
    actions.mark_demo(person_ids=world.people.values(), password=demo.PASSWORD)


def fill(world: demo.World) -> None:
    """Makes the people, their friendships and remarks, the advisor's customers, a bound card, a waiting request."""
    _people(world)
    person: dict[str, UUID] = world.people
    for first, second in FRIENDS:
        actions.make_friends(person[first], person[second])
    actions.set_remark(person_id=person["su"], friend_id=person["shen"], remark="妈妈")
    for customer in ADVISED:
        actions.assign_advisor(advisor_id=person["zhou"], customer_id=person[customer])
    actions.keep_card(person_id=person["jiang"], card_id=new_id(), number=card_number(JIANG_CARD), by="branch")
    actions.ask_to_be_friends(sender_id=person["he"], person_id=person["su"], message="我是何田,爬山小队的。")
