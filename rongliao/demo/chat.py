"""Conversations with a past: the advisor, friends, family, the Saturday group."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chat import actions
from chat.actions import Line
from kernel import pictures
from kernel.clock import now
from rongliao import demo
from rongliao.demo.landscapes import paint

_ZONE = ZoneInfo("Asia/Shanghai")

# Days ago, time of day, who, what. A text of "<mood seed>" is a picture.
Past = Sequence[tuple[int, str, str, str]]

SU_ZHOU: Past = (
    (41, "10:02", "zhou", "苏女士您好,我是城西支行的周岚,您的客户经理。以后理财、存款、开户的事都可以直接在这里找我。"),
    (41, "10:20", "su", "周经理好!那我就不用再打电话排队了。"),
    (41, "10:22", "zhou", "对,工作日 9:00–17:30 我一般几分钟内就能回。"),
    (33, "15:11", "su", "我有一笔定期下周到期,要做什么吗?"),
    (33, "15:16", "zhou", "不做也可以,到期会自动转成活期,本息一分不少。您想继续存的话,我们到时候再看哪种合适。"),
    (33, "15:17", "su", "好,到时候提醒我一下"),
    (33, "15:18", "zhou", "记下了。"),
    (26, "09:40", "zhou", "苏女士,您的定期今天到期,本金和利息已经在储蓄卡里了,您可以在「财富」里看到。"),
    (26, "12:31", "su", "看到了,谢谢提醒"),
    (19, "20:14", "su", "想问下风险测评一年要做一次吗?上次那个好像过期了"),
    (18, "09:05", "zhou", "是的,有效期 12 个月。您在「财富」里重新做一次就行,大概三分钟,按真实情况选。"),
    (18, "12:47", "su", "做完了,还是稳健型"),
    (18, "12:50", "zhou", "收到,C2 稳健型。之后我只会给您介绍 R2 及以下的产品。"),
    (9, "16:30", "zhou", "城西支行楼下这两天银杏正好,您路过可以看看。"),
    (9, "16:31", "zhou", "<autumn 7>"),
    (9, "18:02", "su", "真好看!周末带我妈去。"),
    (0, "-22", "su", "最近有三个月左右、稳一点的吗?"),
    (0, "-18", "zhou", "有的。按您上月的测评(稳健型 C2),90 天左右的有一款在您的范围内,我整理一下要点发给您。"),
    (0, "-17", "zhou", "业绩比较基准不是收益承诺,说明书里的费用和封闭期请您先看一眼,有疑问随时问我。"),
)
SU_LIN: Past = (
    (37, "21:03", "lin", "苏禾,国庆那几张照片发我一下呗"),
    (37, "21:10", "su", "<lake 3>"),
    (37, "21:10", "su", "<morning 5>"),
    (37, "21:12", "lin", "第二张绝了,当壁纸了"),
    (30, "12:20", "lin", "中午食堂新开了粉面档口,排队的人能绕一圈"),
    (30, "12:26", "su", "你还是老老实实排吧哈哈"),
    (22, "19:44", "su", "周六爬山你来吗?"),
    (22, "19:52", "lin", "来,几点?"),
    (22, "19:53", "su", "七点半北门集合,记得带早餐"),
    (22, "19:55", "lin", "七点半……我努力起床"),
    (20, "07:48", "lin", "到了到了,在北门第二个路灯下面"),
    (20, "07:48", "su", "看到你了,橙色那个是吧"),
    (20, "18:30", "lin", "腿不是我的了"),
    (20, "18:31", "lin", "<dusk 11>"),
    (20, "18:35", "su", "最后这段晚霞值了"),
    (12, "13:02", "lin", "上次的车费和饭钱我还没给你,多少来着?"),
    (12, "13:10", "su", "一共 86,不急"),
    (12, "13:11", "lin", "晚上转你"),
    (5, "22:17", "lin", "推荐一本书,《云边有个小卖部》,读着挺静的"),
    (5, "22:40", "su", "加书单了"),
    (1, "13:36", "su", "照片冲好了,周末给你带过去"),
    (1, "13:50", "lin", "收到啦,谢谢!"),
)
SU_TAO: Past = (
    (28, "20:11", "tao", "新相机到手,改天约拍"),
    (28, "20:15", "su", "羡慕!拍完给我看"),
    (27, "17:02", "tao", "<meadow 21>"),
    (27, "17:03", "tao", "随手一张,直出"),
    (27, "17:20", "su", "这草色真舒服"),
    (15, "11:25", "tao", "路费我先垫了,一共四个人"),
    (15, "11:31", "su", "好,回头分摊,你发我数"),
    (2, "21:38", "tao", "周六 7:30 北门集合,自带早餐,别忘了"),
    (2, "21:44", "su", "收到,这次带保温杯"),
    (1, "20:12", "tao", "你上次说的融聊开户难不难?我还没有这家的卡"),
    (1, "20:15", "su", "不难,身份证加一张别家的卡就行"),
)
SU_SHEN: Past = (
    (24, "18:40", "shen", "今天降温,多穿点"),
    (24, "19:15", "su", "穿了穿了,妈你也别光说我"),
    (16, "09:20", "shen", "<snow 2>"),
    (16, "09:21", "shen", "你爸清早拍的,院子里落霜了"),
    (16, "09:40", "su", "好美!让爸别站太久"),
    (8, "12:08", "su", "生活费给您打过去了,查收一下"),
    (8, "12:30", "shen", "收到了,不用每次都打这么多"),
    (3, "17:55", "shen", "周末回来吃饭吗?给你炖了汤"),
    (3, "18:20", "su", "回!周六爬完山直接过去"),
    (3, "18:21", "shen", "好,多炖一会儿"),
)
SU_JIANG: Past = (
    (6, "19:02", "jiang", "苏禾,那家小馆子叫什么来着?"),
    (6, "19:20", "su", "「山野」,在湖滨后街,记得提前订位"),
    (6, "19:21", "jiang", "好嘞,多谢"),
)
LIN_TAO: Past = (
    (13, "20:30", "tao", "周末的路线我改了一下,少爬一个坡"),
    (13, "20:33", "lin", "感恩!"),
    (4, "22:01", "lin", "<morning 31>"),
    (4, "22:02", "lin", "今早六点半的湖边"),
    (4, "22:10", "tao", "你居然起得来"),
)
JIANG_LIN: Past = (
    (7, "10:05", "jiang", "晓舟,上次拼车的钱我转你"),
    (7, "10:12", "lin", "不急,下次一起算"),
)
HE_XU: Past = (
    (10, "14:00", "xu", "老何,那本指数投资的书你看完没"),
    (10, "14:20", "he", "看了一半,比想象的好读"),
)
XU_ZHOU: Past = (
    (21, "10:30", "zhou", "许先生您好,您关注的沪深精选指数 A 今天净值已更新,在「财富」里可以看走势。"),
    (21, "11:02", "xu", "好,波动我有数,长期放着。"),
    (2, "15:20", "xu", "年底有新的均衡类产品吗?"),
    (2, "15:31", "zhou", "有,资料明天上午给您。"),
)
HE_ZHOU: Past = (
    (11, "16:10", "zhou", "何先生,您的测评是平衡型 C3,之后的介绍都会在这个范围内。"),
    (11, "16:45", "he", "明白,麻烦了。"),
)
BAI_ZHOU: Past = (
    (14, "09:30", "zhou", "白女士您好,我是您的客户经理周岚,有需要随时留言。"),
    (14, "12:05", "bai", "好的,先了解一下。"),
)
JIANG_ZHOU: Past = (
    (17, "10:15", "zhou", "江先生您好,欢迎!他行卡绑定好以后,可以先开一个 III 类户体验小额收付。"),
    (17, "10:40", "jiang", "谢谢,我先看看。"),
)
GROUP_TITLE = "周末爬山小队"
GROUP: Past = (
    (35, "20:00", "tao", "建个群,以后周末爬山在这里说"),
    (35, "20:03", "lin", "举手"),
    (35, "20:05", "jiang", "我也来"),
    (35, "20:11", "su", "我带零食"),
    (22, "19:40", "tao", "周六路线:北门上,南坡下,大概四小时"),
    (22, "19:58", "jiang", "要带登山杖吗?"),
    (22, "20:01", "tao", "带一根就够"),
    (20, "12:16", "tao", "<meadow 41>"),
    (20, "12:17", "tao", "半山腰,风正好"),
    (20, "12:20", "lin", "我在你后面两百米……"),
    (20, "12:21", "su", "加油,上面有亭子"),
    (20, "17:40", "jiang", "<dusk 51>"),
    (20, "17:41", "jiang", "下山这段最好看"),
    (6, "21:02", "tao", "这周六 7:30 北门,天气晴,12 度"),
    (6, "21:08", "su", "到"),
    (6, "21:09", "jiang", "到"),
    (6, "21:30", "lin", "到……如果闹钟响的话"),
    (0, "-170", "tao", "路费我先垫着,回来再分"),
    (0, "-166", "lin", "辛苦队长"),
)


def _moment(present: datetime, days: int, clock: str) -> datetime:
    """A time of day some days ago; `-22` is 22 minutes before the present."""
    if clock.startswith("-"):
        return present - timedelta(minutes=int(clock[1:]))
    hour, minute = (int(part) for part in clock.split(":"))
    day = present.astimezone(_ZONE) - timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def _lines(world: demo.World, past: Past, present: datetime) -> list[Line]:
    lines = []
    for place, (days, clock, who, text) in enumerate(past):
        # Lines of one minute keep their order.
        at = _moment(present, days, clock) + timedelta(seconds=place)
        person = world.people[who]
        if text.startswith("<"):
            mood, seed = text.strip("<>").split()
            kept = pictures.store(paint(mood, int(seed)), owner_id=person)
            lines.append(Line(sender_id=person, at=at, picture_id=kept.pk))
        else:
            lines.append(Line(sender_id=person, at=at, text=text))
    return lines


def _tell(
    world: demo.World,
    name: str,
    kind: str,
    people: Sequence[str],
    past: Past,
    *,
    unread: dict[str, int] | None = None,
    title: str | None = None,
) -> None:
    """One conversation; `unread` says how many lines at its end somebody has not seen."""
    lines = _lines(world, past, now())
    members: list[UUID] = [world.people[person] for person in people]
    conversation = actions.open_conversation(
        kind=kind, member_ids=members, title=title, opened_by=members[0], at=lines[0].at - timedelta(seconds=5)
    )
    actions.append_past(conversation_id=conversation, lines=lines)
    world.conversations[name] = conversation
    notices = 1 if kind == "advisor" else 0
    for person in people:
        seen = notices + len(lines) - (unread or {}).get(person, 0)
        actions.mark_read(conversation_id=conversation, person_id=world.people[person], seq=seen)


def fill(world: demo.World) -> None:
    """Makes the conversations. Names are "su-zhou", people in alphabetical order; "group" is the Saturday group."""
    _tell(world, "su-zhou", "advisor", ("su", "zhou"), SU_ZHOU, unread={"su": 1})
    _tell(world, "xu-zhou", "advisor", ("xu", "zhou"), XU_ZHOU)
    _tell(world, "he-zhou", "advisor", ("he", "zhou"), HE_ZHOU)
    _tell(world, "bai-zhou", "advisor", ("bai", "zhou"), BAI_ZHOU)
    _tell(world, "jiang-zhou", "advisor", ("jiang", "zhou"), JIANG_ZHOU)
    _tell(world, "lin-su", "direct", ("su", "lin"), SU_LIN)
    _tell(world, "su-tao", "direct", ("su", "tao"), SU_TAO)
    _tell(world, "shen-su", "direct", ("su", "shen"), SU_SHEN)
    _tell(world, "jiang-su", "direct", ("su", "jiang"), SU_JIANG)
    _tell(world, "lin-tao", "direct", ("lin", "tao"), LIN_TAO)
    _tell(world, "jiang-lin", "direct", ("jiang", "lin"), JIANG_LIN)
    _tell(world, "he-xu", "direct", ("he", "xu"), HE_XU)
    _tell(world, "group", "group", ("tao", "su", "lin", "jiang"), GROUP, unread={"su": 2}, title=GROUP_TITLE)
