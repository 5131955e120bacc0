"""Every address of the agents' screens. What is not here does not exist."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as two_factor
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.urls import path

from .views import acts, attachments, audit, conversation, inbox, inboxes, ledger, library, me, replies

urlpatterns = [
    path("", inbox.home, name="home"),
    path("more", inbox.more, name="more"),
    path("inbox/<slug:slug>", inbox.listing, name="list"),
    path("inbox/<slug:slug>/pulse", inbox.pulse, name="pulse"),
    path("inbox/<slug:slug>/filter-labels", inbox.filter_labels, name="filter_labels"),
    path("inbox/<slug:slug>/<int:number>", inbox.opened, name="open"),
    path("conversations/<int:number>", conversation.conversation, name="conversation"),
    path("conversations/<int:number>/timeline", conversation.timeline, name="timeline"),
    path("conversations/<int:number>/head", conversation.head, name="head"),
    path("conversations/<int:number>/composer", conversation.composer, name="composer"),
    path("conversations/<int:number>/about", conversation.side, name="side"),
    path("conversations/<int:number>/people", conversation.people, name="people"),
    path("conversations/<int:number>/labels", conversation.labels, name="labels"),
    path("conversations/<int:number>/seen", conversation.seen, name="seen"),
    path("conversations/<int:number>/reply", replies.reply, name="reply"),
    path("conversations/<int:number>/note", replies.note, name="note"),
    path("conversations/<int:number>/draft", replies.draft, name="draft"),
    path("conversations/<int:number>/uploads", replies.upload, name="upload"),
    path("conversations/<int:number>/do/<slug:deed>", acts.act, name="act"),
    path("messages/<uuid:message>/take-back", replies.take_back, name="take_back"),
    path("messages/<uuid:message>/try-again", replies.try_again, name="try_again"),
    path("messages/<uuid:message>/settle", replies.settle, name="settle"),
    path("messages/<uuid:message>/formatted", attachments.letter, name="letter"),
    path("messages/<uuid:message>/frame", attachments.letter_frame, name="letter_frame"),
    path("attachments/<uuid:attachment>", attachments.attachment, name="attachment"),
    path("attachments/<uuid:attachment>/drop", replies.drop_upload, name="drop_upload"),
    path("ledger", ledger.days, name="ledger"),
    path("ledger/dead-letters", ledger.dead_letters, name="dead_letters"),
    path("ledger/dead-letters/<uuid:letter>/<slug:deed>", ledger.settle, name="dead_letter"),
    path("conversations/<int:number>/saved-replies", library.phrases, name="phrases"),
    path("saved-replies/<uuid:reply>/used", library.used, name="saved_reply_used"),
    path("settings/saved-replies", library.saved_replies, name="saved_replies"),
    path("settings/saved-replies/new", library.new_reply, name="new_reply"),
    path("settings/saved-replies/<uuid:reply>", library.saved_reply, name="saved_reply"),
    path("settings/saved-replies/<uuid:reply>/remove", library.remove_reply, name="remove_reply"),
    path("settings/facts", library.save_fact, name="save_fact"),
    path("settings/facts/<uuid:fact>/remove", library.remove_fact, name="remove_fact"),
    path("settings/inboxes", inboxes.inboxes, name="inboxes"),
    path("settings/inboxes/new", inboxes.catalogue, name="catalogue"),
    path("settings/inboxes/new/<slug:kind>", inboxes.connect, name="connect"),
    path("settings/inboxes/<uuid:inbox>", inboxes.inbox, name="inbox"),
    path("settings/inboxes/<uuid:inbox>/do/<slug:deed>", inboxes.act, name="inbox_act"),
    path("settings/audit", audit.audit, name="audit"),
    path("me", me.choose, name="me"),
    path("me/organisation", me.organisation, name="choose_organisation"),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/", account.password_change, name="account_change_password"),
    path("accounts/password/reset/", account.password_reset, name="account_reset_password"),
    path("accounts/password/reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "accounts/password/reset/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path(
        "accounts/password/reset/<slug:uidb36>/<slug:key>/",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("accounts/2fa/", two_factor.index, name="mfa_index"),
    path("accounts/2fa/authenticate/", two_factor.authenticate, name="mfa_authenticate"),
    path("accounts/2fa/reauthenticate/", two_factor.reauthenticate, name="mfa_reauthenticate"),
    path("accounts/2fa/totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("accounts/2fa/totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("accounts/2fa/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("accounts/2fa/codes/generate/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("accounts/2fa/codes/download/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
]
