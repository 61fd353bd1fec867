"""What service accounts refuse, and why."""

from kernel.errors import Refusal


class MenuBroken(Refusal):
    code = "menu_broken"
    zh = "菜单不符合要求:最多 3 个一级菜单,每个最多 5 个二级菜单,标识不能重复。菜单没有保存。"
    en = "The menu does not fit: at most 3 entries with 5 below each, no key twice. It was not saved."


class ArticleBroken(Refusal):
    code = "article_broken"
    zh = "文章内容不符合要求,没有保存:{reason}"
    en = "The article does not fit and was not saved: {reason}"


class ArticleSent(Refusal):
    code = "article_sent"
    status = 409
    zh = "这篇文章已经发送,不能再修改。"
    en = "This article has been sent and can no longer be changed."


class ArticleMoved(Refusal):
    code = "article_moved"
    status = 409
    zh = "这篇文章刚被别人改过,您的修改没有保存,请刷新后再改。"
    en = "Somebody else has just changed this article. Yours was not saved; refresh and try again."


class RepliesMoved(Refusal):
    code = "replies_moved"
    status = 409
    zh = "菜单和自动回复刚被别人改过,您的修改没有保存。请载入最新内容后再改。"
    en = "Somebody else has just changed the menu and replies. Yours were not saved; load the latest and change that."


class NobodyFollows(Refusal):
    code = "nobody_follows"
    status = 409
    zh = "还没有人关注这个服务号,文章没有发送。"
    en = "Nobody follows this service account yet. The article was not sent."


class AlwaysOn(Refusal):
    code = "always_on"
    status = 409
    zh = "这是账户自带的服务,不能取消关注,可以在提醒设置里调整。"
    en = "This service comes with your accounts and cannot be left. Its notices can be adjusted in its settings."
