"""What moments refuse, and why."""

from kernel.errors import Refusal


class EmptyPost(Refusal):
    code = "empty_post"
    zh = "写点什么,或选一张图片,再发表。"
    en = "Write something or choose a picture before you post."


class PictureNotReady(Refusal):
    code = "picture_not_ready"
    status = 409
    zh = "有图片尚未上传成功,或已用在别的动态里。动态没有发表,请重新选择图片。"
    en = "A picture was not uploaded, or is used in another post. Nothing was posted; please choose it again."


class AudienceNotFriends(Refusal):
    code = "audience_not_friends"
    zh = "谁可以看的名单须至少有一位,且都是您的好友。动态没有发表。"
    en = "The audience needs at least one person, all of them your friends. Nothing was posted."


class PostTooOften(Refusal):
    code = "post_too_often"
    status = 429
    zh = "今天发表得太多了(一天最多 {limit} 条),请明天再来。内容没有发表。"
    en = "That is enough for today (at most {limit} a day). Nothing was posted."


class TooManyLoosePictures(Refusal):
    code = "too_many_loose_pictures"
    status = 429
    zh = "有 {limit} 张图片上传后还没有发表,请先发表或稍后再上传。"
    en = "{limit} uploaded pictures wait for their post. Post them first, or try later."
