from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from accounts import ports as accounts
        from chat import ports, push, webpush
        from chat.actions import relations

        ports.set_ringer(webpush.WebPush())
        accounts.session_ended.add(push.end_sessions)
        accounts.changed.add(push.hint)
        accounts.person_changed.add(relations.follow_person)
        accounts.friendship_changed.add(relations.follow_friendship)
        accounts.advisor_changed.add(relations.follow_advisor)
