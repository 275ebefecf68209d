//! Which gateways a configuration names, and in which order.

use domain::GatewayName;
use payments::{Gateways, UnknownGateway};
use test_shop::Shop;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn gateways_are_found_by_their_place_and_by_their_name() {
    let books = Shop::empty().await.uncounted().books();
    let gateways = Gateways::configured(&names(&["sandbox-b", "sandbox"]), true, &books).unwrap();
    assert_eq!(gateways.at(0).unwrap().name().0, "sandbox-b");
    assert_eq!(gateways.at(1).unwrap().name().0, "sandbox");
    assert!(gateways.at(2).is_none());
    let (place, found) = gateways.named(&GatewayName("sandbox".into())).unwrap();
    assert_eq!((place, found.name().0.as_str()), (1, "sandbox"));
    assert!(gateways.named(&GatewayName("sandbox-a".into())).is_none());
    assert!(Gateways::default().at(0).is_none());
}

#[tokio::test]
async fn a_name_that_no_gateway_has_is_refused() {
    let books = Shop::empty().await.uncounted().books();
    for bad in ["stripe", "", "Sandbox", " sandbox"] {
        let refused = Gateways::configured(&names(&["sandbox", bad]), true, &books).err();
        assert_eq!(refused, Some(UnknownGateway(bad.to_owned())));
    }
}

/// The sandbox charges no real money: in production every order would be free.
#[tokio::test]
async fn the_sandbox_is_refused_in_production() {
    let books = Shop::empty().await.uncounted().books();
    let refused = Gateways::configured(&names(&["sandbox"]), false, &books).err();
    assert_eq!(refused, Some(UnknownGateway("sandbox".to_owned())));
}
