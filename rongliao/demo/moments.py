"""What the demo world's people posted in the last weeks, and what their friends said to it."""

import io
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from kernel.clock import now
from kernel.ids import new_id
from moments import actions
from rongliao import demo
from rongliao.demo.drawing import draw


@dataclass(frozen=True)
class Said:
    """A comment: who, what, and the number of the comment that it answers."""

    who: str
    text: str
    to: int | None = None


@dataclass(frozen=True)
class Told:
    """A post, so long ago."""

    who: str
    ago: timedelta
    text: str
    pictures: tuple[str, ...] = ()
    likes: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    audience: str = "friends"
    people: tuple[str, ...] = field(default=())


def _h(hours: float) -> timedelta:
    return timedelta(hours=hours)


POSTS = (
    Told(
        "lin",
        _h(1.2),
        "灵隐的秋天,比照片里更安静。",
        (
            "forest autumn 1",
            "hills moss 2",
            "forest gold 3",
            "water dusk 4",
            "hills autumn 5",
            "town gold 6",
        ),
        ("tao", "su"),
        (Said("tao", "第三张绝了"), Said("lin", "清晨六点拍的", 0)),
    ),
    Told("tao", _h(9), "爬山小队本周六 7:30 北门集合,自带早餐。", (), ("su",), (Said("su", "收到,我带茶"),)),
    Told(
        "shen",
        _h(20),
        "冬至前先练练手,四个菜一个汤。女儿周末回来吃。",
        ("table autumn 11", "table moss 12", "table gold 13", "table spring 14"),
        ("su",),
        (Said("su", "妈,给我留碗汤"), Said("shen", "锅里多着呢", 0)),
    ),
    Told("jiang", _h(30), "新办公室的窗户,终于能看见江了。", ("water lake 21",), ("su", "lin")),
    Told(
        "he", _h(44), "跑完人生第一个半马,慢,但没有走。", ("town spring 22",), ("xu",), (Said("xu", "厉害!下次叫我"),)
    ),
    Told(
        "su",
        _h(52),
        "加班回家,抬头有月亮。",
        ("town night 31", "hills night 32"),
        ("lin", "tao", "shen"),
        (Said("shen", "早点睡"), Said("lin", "这张可以当壁纸"), Said("su", "发你原图", 1)),
    ),
    Told(
        "lin",
        _h(75),
        "在整理旧照片,发现每年春天我都在同一个地方拍同一棵树。",
        ("hills spring 41", "forest spring 42", "water spring 43"),
    ),
    Told("bai", _h(80), "太湖边的风很大,人很少,正好。", ("water lake 44", "water snow 45"), ()),
    Told("su", _h(100), "年终计划:少买、多存、早睡。写给自己看。", (), (), (), "private"),
    Told(
        "tao",
        _h(130),
        "西线三峰,二十公里,六小时四十分。膝盖还在,人也还在。\n下次带大家走东线,坡缓一些,中午在半山的小庙吃素面。",
        (
            "hills snow 51",
            "hills lake 52",
            "forest moss 53",
            "hills dusk 54",
            "water lake 55",
            "forest snow 56",
            "hills moss 57",
            "town dusk 58",
            "hills gold 59",
        ),
        ("su", "lin"),
        (Said("lin", "素面我可以"), Said("su", "坡缓一些就行")),
    ),
    Told("su", _h(190), "给妈妈挑的毯子到了。", ("table snow 61",), ("lin",), (), "except", ("shen",)),
    Told("xu", _h(200), "读完一本讲复利的书,最大的收获是:先别亏。", ("town lake 62",), ("he",)),
    Told("shen", _h(240), "楼下的桂花第二茬又开了。", ("forest gold 71", "forest autumn 72"), ("su",)),
    Told("jiang", _h(300), "搬家第一晚,纸箱当餐桌。", ("table dusk 73",), ("su", "lin"), (Said("lin", "乔迁之喜"),)),
    Told("lin", _h(340), "咖啡第三杯,代码第三版。", (), ("tao",)),
    Told("su", _h(420), "和小舟去看了雪。", ("hills snow 81", "water snow 82", "forest snow 83"), ("lin", "shen")),
)


def _post(world: demo.World, told: Told) -> None:
    people: dict[str, UUID] = world.people
    author, at = people[told.who], now() - told.ago
    pictures = [actions.upload_picture(person_id=author, upload=io.BytesIO(draw(name))).pk for name in told.pictures]
    post, _ = actions.post(
        person_id=author,
        post_id=new_id(),
        text=told.text,
        audience=told.audience,
        people=[people[name] for name in told.people],
        picture_ids=pictures,
        at=at,
    )
    step = min(told.ago / (len(told.likes) + len(told.said) + 2), timedelta(minutes=17))
    for number, name in enumerate(told.likes, start=1):
        actions.like(person_id=people[name], post_id=post.pk, at=at + step * number)
    said: list[UUID] = []
    for number, one in enumerate(told.said, start=len(told.likes) + 1):
        kept, _ = actions.comment(
            person_id=people[one.who],
            post_id=post.pk,
            comment_id=new_id(),
            text=one.text,
            reply_to=None if one.to is None else said[one.to],
            at=at + step * number,
        )
        said.append(kept.pk)


def fill(world: demo.World) -> None:
    """Makes the posts, oldest first; everybody has seen what is older than a day."""
    for told in reversed(POSTS):
        _post(world, told)
    for name in world.people:
        actions.mark_seen(person_id=world.people[name], upto=now() - timedelta(days=1))
