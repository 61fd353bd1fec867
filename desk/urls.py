"""Routes under /api/desk/."""

from django.urls import path

from desk import api

urlpatterns = [
    path("service", api.Service.as_view()),
    path("service/conversation", api.ServiceConversation.as_view()),
    path("service/<uuid:case_id>/rating", api.Rating.as_view()),
    path("queue", api.Queue.as_view()),
    path("cases", api.ClosedCases.as_view()),
    path("cases/<uuid:case_id>/take", api.TakeCase.as_view()),
    path("cases/<uuid:case_id>/close", api.CloseCase.as_view()),
    path("customers", api.Customers.as_view()),
    path("customers/<uuid:customer_id>", api.Customer.as_view()),
    path("customers/<uuid:customer_id>/products", api.CustomerProducts.as_view()),
    path("customers/<uuid:customer_id>/conversation", api.CustomerConversation.as_view()),
    path("customers/<uuid:customer_id>/product-cards", api.ProductCards.as_view()),
    path("words", api.Words.as_view()),
]
