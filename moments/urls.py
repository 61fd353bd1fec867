"""Routes of moments."""

from django.urls import URLPattern, URLResolver, path

from moments import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("timeline", api.Timeline.as_view(), name="moments-timeline"),
    path("posts", api.Posts.as_view(), name="moments-posts"),
    path("posts/<uuid:post_id>", api.OnePost.as_view(), name="moments-post"),
    path("posts/<uuid:post_id>/like", api.Likes.as_view(), name="moments-like"),
    path("posts/<uuid:post_id>/comments", api.Comments.as_view(), name="moments-comments"),
    path("comments/<uuid:comment_id>", api.OneComment.as_view(), name="moments-comment"),
    path("persons/<uuid:person_id>/posts", api.PersonPosts.as_view(), name="moments-album"),
    path("pictures", api.Pictures.as_view(), name="moments-pictures"),
    path("pictures/<uuid:picture_id>", api.OnePicture.as_view(), name="moments-picture"),
    path("unseen", api.UnseenCount.as_view(), name="moments-unseen"),
    path("seen", api.Seen.as_view(), name="moments-seen"),
    path("settings", api.Settings.as_view(), name="moments-settings"),
]
