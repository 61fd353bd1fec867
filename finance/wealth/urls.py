"""Routes of finance.wealth."""

from django.urls import URLPattern, URLResolver, path

from finance.wealth.api import advice, operations, orders, products, shop

urlpatterns: list[URLPattern | URLResolver] = [
    path("products", shop.Products.as_view()),
    path("products/<uuid:product_id>", shop.ProductPage.as_view()),
    path("products/<uuid:product_id>/navs", shop.Navs.as_view()),
    path("products/<uuid:product_id>/documents/<uuid:document_id>", shop.Document.as_view()),
    path("products/<uuid:product_id>/documents/<uuid:document_id>/file", shop.DocumentFile.as_view()),
    path("products/<uuid:product_id>/documents/<uuid:document_id>/opened", shop.DocumentOpened.as_view()),
    path("assessment", shop.AssessmentPage.as_view()),
    path("assessments", shop.Assessments.as_view()),
    path("wealth", shop.Wealth.as_view()),
    path("orders", orders.Orders.as_view()),
    path("orders/checks", orders.Checks.as_view()),
    path("orders/<uuid:order_id>", orders.OrderPage.as_view()),
    path("orders/<uuid:order_id>/cancel", orders.OrderCancel.as_view()),
    path("offers", advice.Offers.as_view()),
    path("offers/<uuid:offer_id>", advice.OfferPage.as_view()),
    path("customers/<uuid:customer_id>/shelf", advice.CustomerShelf.as_view()),
    path("operations/navs", operations.NavRows.as_view()),
    path("operations/navs/<uuid:nav_id>/approve", operations.NavApprove.as_view()),
    path("operations/products", products.KeptProducts.as_view()),
    path("operations/products/<uuid:product_id>", products.KeptProduct.as_view()),
    path("operations/product-drafts", products.Drafts.as_view()),
    path("operations/product-drafts/<uuid:draft_id>", products.Draft.as_view()),
    path("operations/product-drafts/<uuid:draft_id>/approve", products.DraftApprove.as_view()),
    path("operations/product-drafts/<uuid:draft_id>/return", products.DraftReturn.as_view()),
    path("operations/product-drafts/<uuid:draft_id>/withdraw", products.DraftWithdraw.as_view()),
    path("operations/product-files", products.Files.as_view()),
    path("operations/product-files/<uuid:file_id>", products.File.as_view()),
]
