from booking import billing, worker


def test_lanes__pay_every_kind_once() -> None:
    kinds = [kind for lane in worker.LANES for kind in lane]
    assert sorted(kinds) == sorted(worker.HANDLERS)


def test_documents_by_the_hundred__are_not_in_the_lane_of_the_checkout_page() -> None:
    (lane,) = [lane for lane in worker.LANES if "stripe.checkout" in lane]
    assert billing.SLOW.isdisjoint(lane)
