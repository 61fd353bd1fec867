"""Routes of chat."""

from django.urls import path

from chat import api

urlpatterns = [
    path("conversations", api.ConversationsView.as_view()),
    path("groups", api.GroupsView.as_view()),
    path("conversations/<uuid:conversation_id>", api.ConversationView.as_view()),
    path("conversations/<uuid:conversation_id>/messages", api.MessagesView.as_view()),
    path("conversations/<uuid:conversation_id>/pictures", api.PicturesView.as_view()),
    path("conversations/<uuid:conversation_id>/read", api.ReadView.as_view()),
    path("messages/<uuid:message_id>/recall", api.RecallView.as_view()),
    path("messages/<uuid:message_id>/forward", api.ForwardView.as_view()),
    path("pictures/<uuid:picture_id>", api.PictureView.as_view()),
    path("push/subscriptions", api.PushSubscriptionsView.as_view()),
    path("push/settings", api.PushSettingsView.as_view()),
    path("sync", api.SyncView.as_view()),
]
