"""The only way from an untrusted code or id to something of a service account's."""

from uuid import UUID

from accounts import queries as accounts
from kernel import pictures
from kernel.errors import NotFound
from kernel.models import Picture
from officials.models import Article, ArticlePicture, Official

OPERATOR = "official_operator"


def official(code: str) -> Official:
    """A service account that is listed, which everybody may look at. Raises NotFound."""
    found = Official.objects.filter(code=code, listed=True).first()
    if found is None:
        raise NotFound
    return found


def article(article_id: UUID) -> Article:
    """An article that was published, which everybody may read. Raises NotFound."""
    found = (
        Article.objects.filter(pk=article_id, status=Article.Status.PUBLISHED)
        .select_related("official", "cover")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def draft(article_id: UUID) -> Article:
    """An article in any state, locked; the caller has checked that an operator asks. Raises NotFound."""
    found = Article.objects.select_for_update(of=("self",)).select_related("official", "cover").filter(pk=article_id)
    row = found.first()
    if row is None:
        raise NotFound
    return row


def picture(viewer_id: UUID, picture_id: UUID, size: pictures.Size) -> bytes:
    """A picture's bytes (WebP): for everybody once its article is out, before that for operators. Raises NotFound."""
    shown = ArticlePicture.objects.filter(picture_id=picture_id).select_related("article").first()
    if shown is None:
        raise NotFound
    out = shown.article is not None and shown.article.status == Article.Status.PUBLISHED
    if not out and OPERATOR not in accounts.roles_of(viewer_id):
        raise NotFound
    return pictures.read(Picture.objects.get(pk=picture_id), size)
