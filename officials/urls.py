"""Routes of officials."""

from django.urls import URLPattern, URLResolver, path

from officials.api import operations, public

urlpatterns: list[URLPattern | URLResolver] = [
    path("", public.Officials.as_view(), name="officials"),
    path("operations/", operations.Managed.as_view(), name="officials-managed"),
    path("operations/<slug:code>/replies", operations.Replies.as_view(), name="officials-replies"),
    path("operations/<slug:code>/articles", operations.Drafts.as_view(), name="officials-drafts"),
    path("operations/<slug:code>/pictures", operations.ArticlePictures.as_view(), name="officials-pictures"),
    path("operations/articles/<uuid:article_id>/broadcast", operations.Sending.as_view(), name="officials-broadcast"),
    path("operations/articles/<uuid:article_id>", operations.OneDraft.as_view(), name="officials-draft"),
    path("articles/<uuid:article_id>", public.OneArticle.as_view(), name="officials-article"),
    path("pictures/<uuid:picture_id>", public.OnePicture.as_view(), name="officials-picture"),
    path("persons/<uuid:person_id>", public.OfficialOfPerson.as_view(), name="officials-of-person"),
    path("<slug:code>", public.OneOfficial.as_view(), name="official"),
    path("<slug:code>/follow", public.Following.as_view(), name="official-follow"),
    path("<slug:code>/menu", public.Menu.as_view(), name="official-menu"),
    path("<slug:code>/articles", public.Articles.as_view(), name="official-articles"),
]
